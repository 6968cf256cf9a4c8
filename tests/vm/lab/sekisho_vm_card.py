# SPDX-License-Identifier: GPL-2.0-or-later
"""A My Number card in software, in a USB reader of the guest's. QEMU hands on what the guest sends to the card, by the
protocol of libcacard's vscard_common.h; the card answers as far as OpenSC's JPKI driver asks: user authentication
certificate and those of the authorities, PIN with its tries, signatures. Keys and certificates are made up here."""

import datetime
import socket
import struct
import threading

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

PIN = "4649"
TRIES, SIGN_TRIES = 3, 5
# Not that of a My Number card, which speaks T=1: QEMU's reader knows T=0 alone. OpenSC then finds the card by its applet.
ATR = bytes.fromhex("3b6800ff") + b"SOFTJPKI"
APPLET = bytes.fromhex("d392f000260100000001")
AUTH_CERTIFICATE, AUTH_CA, SIGN_CERTIFICATE, SIGN_CA = 0x000A, 0x000B, 0x0001, 0x0002
AUTH_KEY, AUTH_PIN, SIGN_KEY, SIGN_PIN = 0x0017, 0x0018, 0x001A, 0x001B
DONE, NO_FILE, NO_PIN, BLOCKED, BAD_DATA, UNKNOWN = 0x9000, 0x6A82, 0x6982, 0x6983, 0x6A80, 0x6D00

INIT, ERROR, READER_ADD, ATR_IS, CARD_REMOVE, APDU = 1, 2, 3, 5, 6, 7
COULD_NOT = 1
NO_READER = 0xFFFFFFFF
HEADER = struct.Struct(">III")  # kind, reader, length


def _name(text):
    return x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"), x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _usage(*allowed):
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")
    return x509.KeyUsage(**{name: name in allowed for name in names})


def _certificate(subject, public_key, issuer, key, usage, authority):
    now = datetime.datetime.utcnow()
    return (x509.CertificateBuilder().subject_name(_name(subject)).issuer_name(_name(issuer)).public_key(public_key)
            .serial_number(x509.random_serial_number()).not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=5 * 365))
            .add_extension(x509.BasicConstraints(authority, None), True).add_extension(usage, True)
            .sign(key, hashes.SHA256()))


class Authority:
    """Who issues the certificates of cards."""

    def __init__(self, name="Software JPKI user authentication CA"):
        self.name = name
        self._key = rsa.generate_private_key(65537, 2048)
        self.certificate = _certificate(name, self._key.public_key(), name, self._key, _usage("key_cert_sign", "crl_sign"), True)

    @property
    def pem(self):
        return self.certificate.public_bytes(serialization.Encoding.PEM).decode()

    def issue(self, person, public_key):
        return _certificate(person, public_key, self.name, self._key, _usage("digital_signature"), False)


class SoftwareJpkiCard:
    """What a card answers. The second key, that for signing documents, is there and stays locked."""

    def __init__(self, authority, person="0001ABCDEFGHIJ1234567890123A"):
        self._key = rsa.generate_private_key(65537, 2048)
        der = serialization.Encoding.DER
        ca = authority.certificate.public_bytes(der)
        self.files = {AUTH_CERTIFICATE: authority.issue(person, self._key.public_key()).public_bytes(der), AUTH_CA: ca,
                      SIGN_CA: ca}
        self.tries, self.signatures = TRIES, 0
        self.before = {}  # by instruction, what is done before it is answered
        self.reset()

    def reset(self):
        self._selected, self._verified = None, False

    def answer(self, command):
        instruction = command[1]
        then = self.before.pop(instruction, None)
        if then:
            then()
        data, word = {0xA4: self._select, 0xB0: self._read, 0x20: self._verify, 0x2A: self._sign}.get(
            instruction, lambda _: (b"", UNKNOWN))(command)
        return data + word.to_bytes(2, "big")

    @staticmethod
    def _data(command):
        return command[5:5 + command[4]] if len(command) > 5 else b""

    def _select(self, command):
        wanted = self._data(command)
        if command[2] == 4:
            if wanted != APPLET:
                return b"", NO_FILE
            self.reset()
            return b"", DONE
        number = int.from_bytes(wanted, "big")
        if number not in (*self.files, SIGN_CERTIFICATE, AUTH_KEY, AUTH_PIN, SIGN_KEY, SIGN_PIN):
            return b"", NO_FILE
        self._selected = number
        return b"", DONE

    def _read(self, command):
        content = self.files.get(self._selected)
        if content is None:
            return b"", NO_PIN
        start = command[2] << 8 | command[3]
        return content[start:start + (command[4] or 256)], DONE

    def _verify(self, command):
        given = self._data(command)
        if self._selected != AUTH_PIN or not given:
            return b"", 0x63C0 | (self.tries if self._selected == AUTH_PIN else SIGN_TRIES)
        if self.tries == 0:
            return b"", BLOCKED
        self._verified = given == PIN.encode()
        self.tries = TRIES if self._verified else self.tries - 1
        return b"", DONE if self._verified else 0x63C0 | self.tries

    def _sign(self, command):
        """RSA of what is given, padded as PKCS#1 has it: the digest's own frame comes from the caller."""
        if self._selected != AUTH_KEY or not self._verified:
            return b"", NO_PIN
        numbers = self._key.private_numbers()
        size = self._key.key_size // 8
        given = self._data(command)
        if len(given) > size - 11:
            return b"", BAD_DATA
        padded = b"\0\1" + b"\xff" * (size - 3 - len(given)) + b"\0" + given
        self.signatures += 1
        return pow(int.from_bytes(padded, "big"), numbers.d, numbers.public_numbers.n).to_bytes(size, "big"), DONE


class Reader:
    """A USB reader of the guest's, and a card that is put in and taken out."""

    def __init__(self, machine):
        self._machine, self._card = machine, None
        self._lock = threading.Lock()
        self._socket = self._thread = None
        self.commands = []  # as they came

    def plug(self):
        qmp = self._machine.qmp
        path = self._machine.path("card")
        listens = {"addr": {"type": "unix", "data": {"path": path}}, "server": True, "wait": False}
        qmp.run("chardev-add", id="card", backend={"type": "socket", "data": listens})
        qmp.run("device_add", driver="usb-ccid", id="reader", bus="usb.0")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(path)
        qmp.run("device_add", driver="ccid-card-passthru", id="card-in-reader", bus="reader.0", chardev="card")
        self._send(INIT, b"VSCD" + struct.pack(">II", 2, 0), NO_READER)
        self._send(READER_ADD, b"sekisho\0", NO_READER)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        return self

    def pull(self):
        """Out with it, card and all; the card itself may ask for it, in the middle of an answer."""
        self._card = None
        qmp = self._machine.qmp
        qmp.run("device_del", id="reader")
        qmp.wait_event("DEVICE_DELETED", device="reader")
        self._socket.shutdown(socket.SHUT_RDWR)
        if self._thread is not threading.current_thread():
            self._thread.join()
        self._socket.close()
        qmp.run("chardev-remove", id="card")

    def mute(self):
        """The card has no contact any more: whoever waits for an answer is told so."""
        self._card = None
        self._send(ERROR, struct.pack(">I", COULD_NOT))

    def put(self, card):
        card.reset()
        self._card = card
        self._send(ATR_IS, ATR)

    def take(self):
        """Out with it. QEMU forgets what the guest waits for, which a reader does not: mute() first, and let it be seen."""
        self._card = None
        self._send(CARD_REMOVE, b"")

    def _send(self, kind, content, reader=0):
        with self._lock:
            self._socket.sendall(HEADER.pack(kind, reader, len(content)) + content)

    def _serve(self):
        with self._socket.makefile("rb") as stream:
            while len(header := stream.read(HEADER.size)) == HEADER.size:
                kind, _, length = HEADER.unpack(header)
                content = stream.read(length)
                card = self._card
                if kind != APDU:
                    continue
                self.commands.append(content)
                answer = card.answer(content) if card else b""
                if self._card:  # still
                    self._send(APDU, answer)
                elif not card:
                    self.mute()
