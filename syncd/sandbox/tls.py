"""Certificates for the sandbox's https, made at the start: a good one, and those of fault N10.

All but the self-signed one are of an authority made at the start too, whose certificate a client is
told to trust. Which one a connection gets is decided in its handshake, before there is a request.
"""

from __future__ import annotations

import ipaddress
import ssl
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from syncd.sandbox.clock import SandboxClock

CA_FILE = "ca.pem"
GOOD = "good"
NAMES = ("localhost", "127.0.0.1", "::1")
ELSEWHERE = ("elsewhere.example",)
LIFE = timedelta(days=397)  # the most that browsers take


@dataclass(frozen=True, slots=True)
class Signer:
    """A name and a key that can sign certificates."""

    name: x509.Name
    key: ec.EllipticCurvePrivateKey


def contexts(folder: Path, hosts: tuple[str, ...] = NAMES) -> dict[str, ssl.SSLContext]:
    """Make an authority and all certificates; write `ca.pem` for clients; raises OSError."""
    now = datetime.fromtimestamp(SandboxClock().now(), UTC)
    authority = Signer(_named("syncd sandbox authority"), _key())
    day = timedelta(days=1)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / CA_FILE).write_bytes(_pem(_authority(authority, now - day)))
    made = {
        GOOD: (hosts, authority, now - day),
        "expired": (hosts, authority, now - LIFE - day),
        "wrong-host": (ELSEWHERE, authority, now - day),
        "self-signed": (hosts, None, now - day),
    }
    return {name: _context(*terms) for name, terms in made.items()}


def choosing(made: dict[str, ssl.SSLContext], choose: Callable[[], str | None]) -> ssl.SSLContext:
    """Return the context to serve with: each handshake shows the certificate that `choose` names."""
    front = made[GOOD]

    def at_hello(connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        kind = choose()
        if kind is not None:
            connection.context = made[kind]

    # asyncio wraps no sockets: what it is given are SSLObjects
    front.sni_callback = at_hello
    return front


def _context(hosts: tuple[str, ...], signer: Signer | None, since: datetime) -> ssl.SSLContext:
    key = _key()
    leaf = _leaf(hosts, key, signer or Signer(_named(hosts[0]), key), since)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.num_tickets = 0  # a resumed session would show no certificate
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    with tempfile.NamedTemporaryFile(suffix=".pem") as file:  # mode 0600; ssl reads files only
        file.write(secret + _pem(leaf))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def _authority(signer: Signer, since: datetime) -> x509.Certificate:
    return (
        _begun(signer.name, signer.key, signer, since)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs_certificates=True), critical=True)
        .sign(signer.key, hashes.SHA256())
    )


def _leaf(
    hosts: tuple[str, ...], key: ec.EllipticCurvePrivateKey, signer: Signer, since: datetime
) -> x509.Certificate:
    names = x509.SubjectAlternativeName([_general(host) for host in hosts])
    return (
        _begun(_named(hosts[0]), key, signer, since)
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(signs_certificates=False), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(signer.key, hashes.SHA256())
    )


def _begun(
    subject: x509.Name, key: ec.EllipticCurvePrivateKey, signer: Signer, since: datetime
) -> x509.CertificateBuilder:
    issuer = signer.key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(signer.name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(since)
        .not_valid_after(since + LIFE)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer), critical=False)
    )


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        encipher_only=False,
        decipher_only=False,
    )


def _general(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
