# SPDX-License-Identifier: GPL-2.0-or-later
"""IC cards: real PKCS#11 tokens of SoftHSM, and an authority that issues certificates for them."""

import pathlib
import shutil
import subprocess

from conftest import BUILD

SOFTHSM = pathlib.Path("/usr/lib/softhsm/libsofthsm2.so")
FAKE = pathlib.Path("/etc/sekisho-FAKE")
PKI = pathlib.Path("/etc/sekisho-pki")
PIN, SO_PIN = "123456", "87654321"
OPENSSL_CONF = """[ca]
default_ca = own
[own]
dir = {directory}
database = $dir/index.txt
serial = $dir/serial
new_certs_dir = $dir
certificate = $dir/ca.pem
private_key = $dir/ca.key
default_md = sha256
policy = any
x509_extensions = person
unique_subject = no
default_crl_days = 30
[any]
commonName = supplied
[person]
basicConstraints = CA:FALSE
keyUsage = digitalSignature
[encryption]
keyUsage = keyEncipherment
[req]
distinguished_name = name
[name]
[root]
basicConstraints = critical,CA:TRUE
keyUsage = keyCertSign,cRLSign
subjectKeyIdentifier = hash
"""


def run(*arguments, **more):
    result = subprocess.run([str(argument) for argument in arguments], capture_output=True, text=True, check=False, **more)
    assert result.returncode == 0, (arguments, result.stdout, result.stderr)
    return result.stdout


class Authority:
    """Below /etc, which is root's alone in the tests' namespace."""

    def __init__(self, name):
        self.directory = PKI / name
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        self.conf = self.directory / "openssl.cnf"
        self.conf.write_text(OPENSSL_CONF.format(directory=self.directory))
        (self.directory / "index.txt").touch()
        (self.directory / "serial").write_text("1000\n")
        self.ca, self.crl = self.directory / "ca.pem", self.directory / "crl.pem"
        self.key("ca", "ec")
        run("openssl", "req", "-x509", "-new", "-config", self.conf, "-extensions", "root", "-key", self.directory / "ca.key",
            "-subj", f"/CN={name}", "-days", "3650", "-out", self.ca)
        self.revocations()

    def key(self, name, kind):
        path = self.directory / f"{name}.key"
        if path.exists():
            return path
        options = {"rsa": ("RSA", "rsa_keygen_bits:2048"), "short": ("RSA", "rsa_keygen_bits:1024"), "ec": ("EC", "ec_paramgen_curve:P-256"),
                   "ec384": ("EC", "ec_paramgen_curve:P-384")}[kind]
        run("openssl", "genpkey", "-algorithm", options[0], "-pkeyopt", options[1], "-out", path)
        return path

    def issue(self, name, key, start="20200101000000Z", end="20491231235959Z", extensions="person"):
        """A certificate in DER."""
        request, pem, der = (self.directory / f"{name}.{suffix}" for suffix in ("csr", "pem", "der"))
        run("openssl", "req", "-new", "-config", self.conf, "-key", key, "-subj", f"/CN={name}", "-out", request)
        run("openssl", "ca", "-batch", "-notext", "-config", self.conf, "-extensions", extensions, "-startdate", start, "-enddate", end,
            "-in", request, "-out", pem)
        run("openssl", "x509", "-in", pem, "-outform", "DER", "-out", der)
        return der

    def revocations(self, *names, **options):
        for name in names:
            run("openssl", "ca", "-config", self.conf, "-revoke", self.directory / f"{name}.pem")
        more = [word for option, value in options.items() for word in (f"-{option}", value)]
        run("openssl", "ca", "-config", self.conf, "-gencrl", "-out", self.crl, *more)


class Token:
    """A card. Its key comes from a file, so that two may have the same one, or the same certificate."""

    def __init__(self, label, key, certificate, *names, pin=PIN):
        self.label, self.pin = label, pin
        run("softhsm2-util", "--init-token", "--free", "--label", label, "--pin", pin, "--so-pin", SO_PIN)
        run("softhsm2-util", "--import", key, "--token", label, "--pin", pin, "--label", "key", "--id", "01")
        for name in names or ("person",):
            self.write(certificate, name)

    def tool(self, *arguments):
        run("pkcs11-tool", "--module", SOFTHSM, "--token-label", self.label, "--login", "--pin", self.pin, *arguments)

    def write(self, certificate, name="person"):
        self.tool("--write-object", certificate, "--type", "cert", "--id", "01", "--label", name)

    def replace(self, certificate):
        self.tool("--delete-object", "--type", "cert", "--id", "01")
        self.write(certificate)


class Reader:
    """Which tokens are there: a directory of SoftHSM's."""

    def __init__(self, directory):
        self.directory = directory / "tokens"
        self.away = directory / "taken-out"
        self.directory.mkdir()
        pathlib.Path("/etc/softhsm/softhsm2.conf").write_text(
            f"directories.tokendir = {self.directory}\nobjectstore.backend = file\nlog.level = ERROR\n")
        shutil.rmtree(FAKE, ignore_errors=True)
        FAKE.mkdir(mode=0o755)
        shutil.copy(BUILD / "tests/FAKE_pkcs11.so", FAKE)
        self.fake = FAKE / "FAKE_pkcs11.so"

    def take_out(self):
        self.directory.rename(self.away)
        self.directory.mkdir()

    def put_in(self):
        self.directory.rmdir()
        self.away.rename(self.directory)

    @staticmethod
    def fault(word):
        (FAKE / "fault").write_text(word)
