#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Holds the published JSON Schema against the loader: what one takes the other takes, what one refuses the other
refuses, but for the short list of what a schema cannot say. Documents are the examples, a table, and mutations of a
document that uses every key: each key dropped, an unknown key beside it, each value of another type."""

import argparse
import copy
import json
import os
import re
import subprocess
import sys
import tempfile

import jsonschema
import yaml

WHOLE = {
    "version": 1, "serial": 7, "zone": "lgwan", "mode": "monitor", "monitor-until": "2027-03-31", "without-lsm": "gate", "lockdown": True, "contact": "情報政策課 内線 2345",
    "not-before": "2026-11-21", "expires": "2027-03-31 17:15", "signing": {"required": True, "revoked": ["A266A3C8B735E67"]},
    "removable": {
        "default": "read-only", "monitor": True, "monitor-until": "2027-03-31", "also-external": ["loop"],
        "devices": [{"name": "課税課 暗号化USB 01",
                     "match": {"vendor": "0951", "product": "1666", "serial": "E0D55EA574", "bus": "usb"},
                     "access": "write", "encrypted": "required", "holder": "課税課 山田", "users": ["yamada"], "groups": ["zeimu"], "hours": "Mon-Fri 08:30-17:15",
                     "expires": "2027-03-31", "mode": "monitor", "monitor-until": "2027-01-31 17:15"}]},
    "usb": {"default": "deny", "interfaces": {"hid": "allow", "printer": "deny"},
            "devices": [{"name": "labels", "match": {"vendor": "04f9"}, "access": "allow", "expires": "2027-03-31",
                         "mode": "monitor", "monitor-until": "2027-01-31"}]},
    "filesystems": {"default": "deny", "monitor": True, "monitor-until": "2027-03-31",
                    "allow": [{"name": "share", "type": "cifs", "source": "//fs01/kyoyu", "access": "write",
                               "users": ["a"], "groups": ["b"], "hours": "08:30-17:15",
                               "expires": "2027-03-31 17:15", "mode": "monitor",
                               "monitor-until": "2027-01-31"}]},
    "network": {"default": "deny", "resolvers": ["10.20.0.53"], "ntp": ["fd00::123"],
                "services": {"dhcp": "allow", "neighbour-discovery": "deny"},
                "interfaces": {"default": "deny",
                               "allow": [{"name": "juki lan",
                                          "match": {"interface": "enp*", "driver": "e1000e", "bus": "pci",
                                                    "mac": "52:54:00:12:34:56", "kind": "ethernet"}}]},
                "allow": [{"name": "juki", "to": "10.20.0.0/16", "protocol": "tcp", "ports": [443, "8000-8010"],
                           "program": "/usr/bin/juki", "interface": "enp3s0",
                           "users": ["a"], "groups": ["b"], "hours": "08:30-17:15", "expires": "2027-03-31",
                           "mode": "monitor", "monitor-until": "2027-01-31"}]},
    "mfa": {"services": {"login": "required", "sudo": "off"}, "factors": ["password", "card"], "exempt": ["a"],
            "default": "required", "grace": {"until": "2027-03-31", "days": 14}, "totp": {"drift": 2},
            "require-guard": False, "lock-on-removal": True, "lock-idle-minutes": 5,
            "limits": {"tries": 5, "wait": 30, "wait-max": 900},
            "break-glass": [{"user": "kinkyu", "factors": ["password", "recovery"]}],
            "rules": [{"name": "hoshu", "services": ["sshd"], "from": ["10.20.0.0/16", "local"], "login": "required",
                       "factors": ["password", "totp"], "users": ["a"], "groups": ["b"], "hours": "08:30-17:15",
                       "expires": "2027-03-31"}]},
    "self-protection": {"process": True, "state": False, "policy": True},
    "self-test": {"every": 60},
    "assets": [{"name": "住民記録", "paths": ["/srv/juki", "/srv/住民"], "class": "特定個人情報", "export": "never"}],
    "assets-unknown": "allow",
    "grants": {"allowed": True, "two-people": False, "minutes-max": 60, "answer-key": "/etc/sekisho/grant.key"},
    "records": {"keep-days": 366, "file-names": "keyed"},
}

DEVICE = {"name": "r", "match": {"bus": "usb"}, "access": "write"}
NETWORK = {"name": "r", "to": "a.b"}
SHARE = {"name": "r", "type": "cifs", "access": "write"}


def head(**rest):
    return {"version": 1, "serial": 7, **{k.replace("_", "-"): v for k, v in rest.items()}}


def device(**rest):
    return head(removable={"devices": [{**DEVICE, **rest}]})


def network(**rest):
    return head(network={"allow": [{**NETWORK, **rest}]})


def interface(**match):
    return head(network={"interfaces": {"allow": [{"name": "r", "match": match}]}})


def share(**rest):
    return head(filesystems={"allow": [{**SHARE, **rest}]})


def mfa(**rest):
    return head(mfa=rest)


GOOD = [
    head(), WHOLE, head(removable={}), head(removable={"devices": []}), head(usb={"interfaces": {}}),
    head(serial=9007199254740991), device(hours="Sat-Mon,Wed 22:00-06:00"), device(hours="00:00-24:00"),
    device(match={"serial": "0951"}), device(access="deny"), device(access="read-only", expires="2027-03-31"),
    device(name="x" * 255), device(encrypted="required"), device(holder="名" * 85), device(access="deny", holder="a"),
    share(source="x" * 4095), share(access="read-only"), network(protocol="icmp"),
    network(protocol="udp", ports=["53"]), network(to="fd00::/8"), network(to="10.0.0.1"), network(users=["a"]),
    head(network={}), head(network={"resolvers": [], "ntp": [], "services": {}, "interfaces": {}}),
    head(network={"resolvers": ["fd00::53", "10.0.0.1"]}), network(program="/a"), network(interface="a.b-c@d:1"),
    interface(kind="wifi"), interface(interface="a*"), interface(mac="AA:bb:00:00:00:00"), interface(bus="usb"),
    mfa(services={"sudo": "off"}), mfa(factors=["fingerprint", "totp"]), mfa(factors=["password", "fingerprint", "card"]),
    mfa(default="deny"), mfa(rules=[]), mfa(rules=[{"name": "r", "login": "off"}]), mfa(**{"break-glass": []}),
    mfa(grace={}), mfa(limits={"tries": 20}), mfa(totp={"drift": 0}), mfa(factors=["password", "recovery"]),
    mfa(fido2={}, fingerprint={}), mfa(fingerprint={"timeout-seconds": 5}), mfa(fido2={"attestation": "none"}),
    mfa(fido2={"relying-party": "key.example", "user-verification": "preferred", "timeout-seconds": 120,
               "attestation": "/etc/sekisho/keys.pem"}),
    mfa(card={}), mfa(card={"ca": "/etc/sekisho/ca.pem"}), mfa(factors=["card", "card-pin"]), mfa(factors=["password", "card", "card-pin"]),
    mfa(card={"module": "/usr/lib/x.so", "ca": "/a", "crl": "/b", "wait-seconds": 5}),
    mfa(exempt=[]), head(contact="true"), head(contact="5"),
    head(grants={}), head(grants={"minutes-max": 1}), head(grants={"minutes-max": 720, "two-people": True}),
    head(self_test={}), head(self_test={"every": 1}), head(self_test={"every": 1440}), head(zone="lgwan", self_test={"every": 0}),
    head(assets=[]), head(assets=[{"name": "a", "paths": ["/srv"], "export": "record"}]), head(assets_unknown="deny"),
    head(records={}), head(records={"keep-days": 1}), head(records={"keep-days": 3660}), head(records={"file-names": "plain"}), head(records={"file-names": "masked"}),
    head(mode="monitor"), device(mode="enforce"), device(mode="monitor"), network(mode="monitor", **{"monitor-until": "2027-01-01"}),
    head(removable={"monitor": False}), head(filesystems={"monitor": True}),
    head(self_protection={}), head(self_protection={"state": True}), head(self_protection={"policy": False}),
]

BAD = [
    {}, [], None, "text", 5, {"serial": 7}, head(version=2), head(serial=-1), head(serial=1.5),
    head(serial=9007199254740992), head(zone="juki"), head(zone="LGWAN"), head(mode=None), head(contact=""),
    head(contact="　 "), head(contact="a\tb"), head(contact="a\u202eb"), head(contact="x" * 512),
    device(match={}), device(match={"serial": ""}), device(match={"serial": 5}), device(users=[]), device(groups=[]),
    device(users=[""]), device(access="deny", users=["a"]), device(access="read-only", hours="08:00-09:00"),
    device(hours="Mon 8:00-9:00"), device(hours="24:00-08:00"), device(hours="Mon"), device(hours="08:00-24:30"),
    device(expires="2027-13-01"), device(expires="2027-3-1"), device(expires="1999-12-31"), device(expires="tomorrow"),
    device(encrypted="off"), device(encrypted=True), device(access="read-only", encrypted="required"),
    device(holder=""), device(holder=5), device(holder="x" * 256), device(holder="a\tb"), share(holder="a"),
    device(expires="2027-03-31 24:00"), device(name="x" * 256), device(name=None), share(type="x" * 64),
    share(access="deny", groups=["a"]), share(source="x" * 4096), network(ports=[443]),
    network(protocol="any", ports=[443]), network(protocol="icmp", ports=[443]), network(protocol="tcp", ports=[]),
    network(protocol="tcp", ports=[0]), network(protocol="tcp", ports=[65536]), network(protocol="tcp", ports=["a"]),
    head(network={"resolvers": "10.0.0.1"}), head(network={"resolvers": ["dns.example"]}),
    head(network={"resolvers": ["10.0.0.0/8"]}), head(network={"ntp": ["a:b c"]}), head(network={"ntp": [""]}),
    head(network={"resolvers": ["10.0.0.%d" % i for i in range(17)]}), head(network={"services": {"dns": "allow"}}),
    head(network={"services": {"dhcp": "on"}}), head(network={"interfaces": {"default": "up"}}),
    head(network={"interfaces": {"deny": []}}), network(program="a"), network(program="/"), network(program=""),
    network(interface="a/b"), network(interface="x" * 16), network(interface=".."), network(interface="a*"),
    interface(), interface(kind="unknown"), interface(kind="lan"), interface(interface="*"), interface(interface="a*b"),
    interface(interface=".*"), interface(mac="52:54:00:12:34"), interface(mac="52-54-00-12-34-56"), interface(bus="a b"),
    interface(driver=""), interface(vendor="0951"), head(network={"interfaces": {"allow": [{"match": {"kind": "wifi"}}]}}),
    network(to="a_b"), network(to="住民"), network(to=""), head(network={"default": "read-only"}),
    head(usb={"interfaces": {"camera": "deny"}}), head(usb={"interfaces": {"hid": "read-only"}}),
    head(removable={"also-external": ["floppy"]}), mfa(factors=["password"]), mfa(factors=["card", "totp"]),
    mfa(factors=["password", "password"]), mfa(factors=[]), mfa(services={"a b": "off"}), mfa(services={"a": "maybe"}),
    mfa(rules=[{"name": "r"}]), mfa(rules=[{"name": "r", "login": "off", "factors": ["password", "card"]}]),
    mfa(rules=[{"name": "r", "login": "required", "factors": ["card", "totp"]}]), mfa(default="on"),
    mfa(rules=[{"name": "r", "login": "off", "from": []}]), mfa(rules=[{"name": "r", "login": "off", "from": ["a b"]}]),
    mfa(rules=[{"name": "r", "login": "off", "services": ["a b"]}]), mfa(totp={"drift": 6}), mfa(limits={"tries": 0}),
    mfa(limits={"wait": 3601}), mfa(**{"lock-idle-minutes": 0}), mfa(**{"lock-idle-minutes": 481}), mfa(grace={"days": 366}), mfa(grace={"days": 0}), mfa(grace={"until": "soon"}),
    mfa(factors=["recovery", "totp"]), mfa(**{"break-glass": [{"user": "a", "factors": ["card", "recovery"]}]}),
    mfa(**{"break-glass": [{"user": "a"}]}), mfa(limits={"wait-max": 86401}),
    mfa(fido2={"relying-party": "Key"}), mfa(fido2={"relying-party": ""}), mfa(fido2={"user-verification": "never"}),
    mfa(fido2={"timeout-seconds": 4}), mfa(fido2={"timeout-seconds": 121}), mfa(fido2={"attestation": "keys.pem"}),
    mfa(fido2={"attestation": "/"}), mfa(fido2={"pin": "off"}), mfa(fingerprint={"timeout-seconds": 0}),
    mfa(**{"require-guard": "on"}), mfa(**{"require-guard": None}),
    mfa(card={"crl": "/b"}), mfa(card={"module": "x.so"}), mfa(card={"ca": "/"}), mfa(card={"wait-seconds": 4}), mfa(card={"pin": "off"}),
    mfa(factors=["password", "card-pin"]), mfa(factors=["card-pin", "totp"]), mfa(factors=["card-pin", "fingerprint"]),
    mfa(services={"": "off"}), mfa(services={"s%d" % i: "off" for i in range(65)}),
    head(grants={"minutes-max": 0}), head(grants={"minutes-max": 721}), head(grants={"allowed": "x"}), head(grants={"answer-key": "key"}),
    head(self_test={"every": 1441}), head(self_test={"every": -1}), head(self_test={"minutes": 5}), head(self_test=60),
    head(monitor_until="2027-01-01"), head(mode="enforce", monitor_until="2027-01-01"), head(removable={"monitor-until": "2027-01-01"}),
    head(removable={"monitor": False, "monitor-until": "2027-01-01"}), device(**{"monitor-until": "2027-01-01"}),
    share(mode="enforce", **{"monitor-until": "2027-01-01"}), device(mode="watch"), head(removable={"monitor": "2027-01-01"}),
    *(head(assets=[{"name": "a", "paths": paths, "export": "never"}])
      for paths in ([], ["/"], ["srv"], ["/srv/"], ["/srv/../x"], ["/srv/."], ["//srv"], ["/.."])),
    head(assets=[{"name": "a", "paths": ["/srv"]}]), head(assets=[{"name": "a", "paths": ["/srv"], "export": "ask"}]),
    head(assets_unknown="record"), head(records={"keep-days": 0}), head(records={"keep-days": 3661}), head(records={"keep-days": "x"}),
    head(records={"file-names": "hashed"}), head(records={"keep": 5}), head(records=5), head(self_protection=True), head(self_protection={"process": "true"}), head(self_protection={"process": 1}),
    head(self_protection={"state": None}), head(self_protection={"kernel": True}),
]

# What a schema cannot say: the loader alone refuses these.
BEYOND_A_SCHEMA = {
    "a serial may stand in another file of the directory": {"version": 1},
    "rule names are unique": head(removable={"devices": [DEVICE, DEVICE]}),
    "rule names of decisions are reserved": device(name="usb.default"),
    "rules need factors, in whatever file": mfa(rules=[{"name": "r", "login": "required"}]),
    "dates exist": device(expires="2027-02-30"),
    "hours have a length": device(hours="08:30-08:30"),
    "addresses exist": network(to="10.0.0.256"),
    "prefixes end where their bits do": network(to="10.20.0.1/16"),
    "resolvers are addresses that exist": head(network={"resolvers": ["10.0.0.256"]}),
    "ranges run upwards": network(protocol="tcp", ports=["9-8"]),
    "ranges end at 65535": network(protocol="tcp", ports=["1-99999"]),
    "services need factors, in whatever file": mfa(services={"login": "required"}),
    "lengths are counted in bytes": head(contact="名" * 200),
}

OTHER_TYPES = [None, True, 3, 1.5, "text", "", [], ["text"], {}, {"key": "text"}, [[]]]


class Reader(yaml.SafeLoader):
    """YAML 1.2's core schema: what editors read."""


Reader.yaml_implicit_resolvers = {}
for tag, pattern, first in (
        ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
        ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
        ("int", r"[-+]?[0-9]+", "-+0123456789"),
        ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789")):
    Reader.add_implicit_resolver("tag:yaml.org,2002:" + tag, re.compile("^(?:%s)$" % pattern), list(first))


def places(value, path=()):
    """Every place of a document, the document itself last."""
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from places(entry, path + (key,))
    yield path


def at(document, path):
    for key in path:
        document = document[key]
    return document


def mutations(document):
    for path in places(document):
        if path:
            for other in OTHER_TYPES:
                mutated = copy.deepcopy(document)
                at(mutated, path[:-1])[path[-1]] = copy.deepcopy(other)
                yield "%s becomes %r" % (list(path), other), mutated
            mutated = copy.deepcopy(document)
            del at(mutated, path[:-1])[path[-1]]
            yield "%s dropped" % list(path), mutated
        if isinstance(at(document, path), dict):
            mutated = copy.deepcopy(document)
            at(mutated, path)["unknown key"] = "text"
            yield "unknown key in %s" % list(path), mutated


# Mutations that make a document of the list above.
def is_beyond_a_schema(label):
    return label in ("['serial'] dropped", "['mfa', 'factors'] dropped")


class Judges:
    def __init__(self, schema_path, lint):
        with open(schema_path, encoding="utf-8") as f:
            schema = json.load(f)
        validator = jsonschema.validators.validator_for(schema)
        validator.check_schema(schema)
        self.schema = validator(schema)
        self.lint = lint

    def by_loader(self, texts):
        with tempfile.TemporaryDirectory() as directory:
            names = []
            for i, text in enumerate(texts):
                names.append(os.path.join(directory, "%d.yaml" % i))
                with open(names[-1], "w", encoding="utf-8") as f:
                    f.write(text)
                os.chmod(names[-1], 0o600)
            run = subprocess.run([self.lint, "--batch"], input="\n".join(names) + "\n", text=True, check=True,
                                 stdout=subprocess.PIPE)
        answers = run.stdout.split()
        assert len(answers) == len(texts), "the loader did not answer every question"
        return [answer == "0" for answer in answers]

    def by_schema(self, document):
        return self.schema.is_valid(document)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--lint", required=True)
    parser.add_argument("--source", required=True)
    arguments = parser.parse_args()
    judges = Judges(os.path.join(arguments.source, "policy/sekisho-policy.schema.json"), arguments.lint)

    cases = []  # label, text, document, expected (loader, schema); None: only alike
    examples = os.path.join(arguments.source, "policy/examples")
    for name in sorted(os.listdir(examples)):
        with open(os.path.join(examples, name), encoding="utf-8") as f:
            text = f.read()
        cases.append((name, text, yaml.load(text, Reader), (True, True)))
    for label, document, expected in (
            [("good %d" % i, d, (True, True)) for i, d in enumerate(GOOD)] +
            [("bad %d" % i, d, (False, False)) for i, d in enumerate(BAD)] +
            [(label, d, (False, True)) for label, d in BEYOND_A_SCHEMA.items()] +
            [(label, d, (False, True) if is_beyond_a_schema(label) else None) for label, d in mutations(WHOLE)]):
        # JSON is YAML: strings stand in quotes, everything else as it is.
        cases.append((label, json.dumps(document, ensure_ascii=False), document, expected))

    failures = 0
    taken = 0
    for (label, text, document, expected), loader in zip(cases, judges.by_loader([c[1] for c in cases])):
        schema = judges.by_schema(document)
        taken += loader
        if (expected and (loader, schema) != expected) or (not expected and loader != schema):
            failures += 1
            print("%s: the loader %s it, the schema %s it: %s" % (
                label, "takes" if loader else "refuses", "takes" if schema else "refuses", text[:300]))
    print("%d documents, %d taken, %d disagreements" % (len(cases), taken, failures))
    return 1 if failures or taken < len(GOOD) else 0


if __name__ == "__main__":
    sys.exit(main())
