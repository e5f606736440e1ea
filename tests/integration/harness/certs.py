"""certs.py - certificates of every kind a caller may show: right ones, and each way to be wrong."""

import datetime
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

DAY = datetime.timedelta(days=1)


@dataclass(frozen=True)
class Client:
    """One certificate with its key, as files, and the CA that the caller trusts."""

    certificate: Path
    key: Path
    server_ca: Path

    def tls(self, minimum=ssl.TLSVersion.TLSv1_2, maximum=ssl.TLSVersion.TLSv1_3):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version, context.maximum_version = minimum, maximum
        context.load_verify_locations(self.server_ca)
        context.load_cert_chain(self.certificate, self.key)
        return context


def name(common):
    return x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Weir tests"), x509.NameAttribute(NameOID.COMMON_NAME, common)]
    )


class Authority:
    """A CA. Its leaves are good for a day around now unless told otherwise."""

    def __init__(self, folder, common):
        self.folder = folder
        self.path = folder / f"{common}.pem"
        self.key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder().subject_name(name(common)).issuer_name(name(common))
        self.certificate = (
            builder.public_key(self.key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - DAY)
            .not_valid_after(now + 30 * DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(key_usage(signs=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.key.public_key()), critical=False)
            .sign(self.key, hashes.SHA256())
        )
        write(self.path, self.certificate)

    def issue(
        self,
        common,
        uris=(),
        dns=(),
        addresses=(),
        emails=(),
        server=False,
        is_ca=False,
        begins=-DAY,
        ends=DAY,
        purpose=None,
    ):
        """Makes folder/common.pem and .key; returns both paths."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = datetime.datetime.now(datetime.timezone.utc)
        names = (
            [x509.UniformResourceIdentifier(u) for u in uris]
            + [x509.DNSName(d) for d in dns]
            + [x509.IPAddress(ipaddress.ip_address(a)) for a in addresses]
            + [x509.RFC822Name(e) for e in emails]
        )
        purpose = purpose or (ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH)
        builder = (
            x509.CertificateBuilder()
            .subject_name(name(common))
            .issuer_name(self.certificate.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now + begins)
            .not_valid_after(now + ends)
            .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
            .add_extension(key_usage(signs=is_ca), critical=True)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(self.key.public_key()), critical=False)
        )
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate_path, key_path = self.folder / f"{common}.pem", self.folder / f"{common}.key"
        write(certificate_path, builder.sign(self.key, hashes.SHA256()))
        key_path.write_bytes(
            key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        )
        key_path.chmod(0o600)
        return certificate_path, key_path


def key_usage(signs):
    return x509.KeyUsage(
        digital_signature=not signs,
        key_cert_sign=signs,
        crl_sign=signs,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def write(path, certificate):
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))


class Pki:
    """The CAs of one test session: callers, operators, and a stranger that Weir does not know."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.clients = Authority(folder, "clients")
        self.operators = Authority(folder, "operators")
        self.stranger = Authority(folder, "stranger")
        self.edge = self.clients.issue("edge", dns=["localhost"], addresses=["127.0.0.1"], server=True)
        self._made = {}

    def client(self, uri, authority=None, **how):
        """A caller with this SPIFFE id. The same wish gives the same certificate."""
        return self.client_with([uri], authority, **how)

    def client_with(self, uris, authority=None, **how):
        authority = authority or self.clients
        wish = (tuple(uris), id(authority), tuple(sorted((k, str(v)) for k, v in how.items())))
        if wish not in self._made:
            paths = authority.issue(f"client-{len(self._made)}", uris=uris, **how)
            self._made[wish] = Client(*paths, self.clients.path)
        return self._made[wish]

    def operator(self, uri):
        return self.client(uri, self.operators)
