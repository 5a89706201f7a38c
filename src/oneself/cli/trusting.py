"""How each client is told to trust the authority of `oneself dev --https`."""

import shlex

from oneself.cli.dev_folder import Tls


def ways(tls: Tls, base_url: str) -> list[tuple[str, str]]:
    """Name the clients, and say what makes each trust the authority; a shell takes the lines as they are."""
    ca = shlex.quote(str(tls.ca))
    return [
        ("Python", f"export SSL_CERT_FILE={ca} REQUESTS_CA_BUNDLE={ca}"),
        ("Node", f"export NODE_EXTRA_CA_CERTS={ca}"),
        ("Ruby, Go", f"export SSL_CERT_FILE={ca}"),
        ("curl", f"curl --cacert {ca} {base_url}/health"),
        ("Chromium, for one run", f"chromium --user-data-dir=$(mktemp -d) {_flag(tls)} {base_url}/"),
        ("Browsers, for good", f"import {tls.ca} as an authority in their settings"),
    ]


def _flag(tls: Tls) -> str:
    return f"--ignore-certificate-errors-spki-list={tls.ca_digest}"
