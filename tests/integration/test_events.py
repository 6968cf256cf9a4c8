# SPDX-License-Identifier: GPL-2.0-or-later
"""What an admin sees: sekishoctl's status, devices, events and explanations, for people and as JSON."""

import json

import pytest
from sekisho_machine import GROUP
from sekisho_world import OPENERS, rule_for
