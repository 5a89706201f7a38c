"""Three lines per SDK that a developer copies to talk to this server."""

from dataclasses import dataclass

from oneself.cli.dev_folder import ProjectKeys


@dataclass(frozen=True, slots=True)
class Snippet:
    """One SDK's first lines; `language` is what a code fence calls it."""

    title: str
    language: str
    text: str


def snippets(base_url: str, project: ProjectKeys) -> tuple[Snippet, ...]:
    """The first lines of each SDK, with this server's URL and this project's keys in them."""
    stytch, stack = project.stytch, project.stack
    # the documented options of Stytch's SDKs take https alone
    python, node = ("custom_base_url",) * 2 if base_url.startswith("https://") else ("environment", "env")
    return (
        Snippet(
            "Python, stytch",
            "python",
            "import stytch\n"
            f'client = stytch.Client("{stytch.project_id}", "{stytch.secret}", {python}="{base_url}")\n'
            "print(client.users.search().results)",
        ),
        Snippet(
            "Node, stytch",
            "javascript",
            'import stytch from "stytch";\n'
            f'const client = new stytch.Client({{ project_id: "{stytch.project_id}", '
            f'secret: "{stytch.secret}", {node}: "{base_url}" }});\n'
            "console.log((await client.users.search({})).results);",
        ),
        Snippet(
            "Node, @stackframe/js",
            "javascript",
            'import { StackServerApp } from "@stackframe/js";\n'
            f'const app = new StackServerApp({{ baseUrl: "{base_url}", projectId: "{stack.project_id}", '
            f'publishableClientKey: "{stack.publishable_client_key}", '
            f'secretServerKey: "{stack.secret_server_key}", tokenStore: "memory" }});\n'
            "console.log(await app.listUsers());",
        ),
    )
