"""`oneself settings`: all settings with their meaning, as the schema has them."""

import click

from oneself.cli.output import table
from oneself.config import Setting
from oneself.config import settings as all_settings


@click.command()
@click.option("--markdown", is_flag=True, help="Print the table of docs/configuration.md.")
def settings(markdown: bool) -> None:
    """List every setting: where it stands in the file, its variable, its default and its meaning."""
    if markdown:
        click.echo(markdown_table())
        return
    rows = ((s.path, s.variable, s.accepts, s.default, s.member.description) for s in all_settings())
    table(("setting", "variable", "takes", "default", "meaning"), rows)


def markdown_table() -> str:
    """All settings as a Markdown table."""
    head = "| setting | variable | takes | default | meaning |\n| --- | --- | --- | --- | --- |\n"
    return head + "\n".join(_row(setting) for setting in all_settings())


def _row(setting: Setting) -> str:
    path = f"`{setting.path}`"
    if setting.member.secret:
        path += f" or `{setting.member.name}_file`"
    variable = f"`{setting.variable}`" if setting.variable else ""
    default = f"`{setting.default}`" if setting.default not in ("", "required") else setting.default
    cells = (path, variable, setting.accepts, default, setting.member.description)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
