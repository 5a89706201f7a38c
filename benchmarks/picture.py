"""Ratios as bars beside the one that is promised, drawn as an SVG file that needs nothing else."""

from collections.abc import Sequence
from html import escape

LABELS, BARS, LINE, TOP = 480, 400, 24, 56
"""The width of the labels, of the longest bar, and the height of a line and of the head, in pixels."""


def bars(title: str, ratios: Sequence[tuple[str, float]], promised: float) -> str:
    """One bar for each (label, ratio), and a line across them at the ratio that is promised."""
    most = max([promised, *(ratio for _, ratio in ratios)])
    across = LABELS + promised / most * BARS
    width, height = LABELS + BARS + 80, TOP + LINE * len(ratios) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"',
        ' font-family="sans-serif" font-size="13">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="12" y="24" font-size="16">{escape(title)}</text>',
        f'<text x="{across:.1f}" y="44" text-anchor="middle" fill="#a33">promised: {promised:g}</text>',
    ]
    for place, (label, ratio) in enumerate(ratios):
        top, long = TOP + LINE * place, ratio / most * BARS
        parts += [
            f'<text x="{LABELS - 8}" y="{top + 16}" text-anchor="end">{escape(label)}</text>',
            f'<rect class="bar" x="{LABELS}" y="{top + 4}" width="{long:.1f}" height="{LINE - 8}" fill="#47a"/>',
            f'<text x="{LABELS + long + 6:.1f}" y="{top + 16}">{ratio:.2f}</text>',
        ]
    bottom = height - 8
    parts.append(f'<line x1="{across:.1f}" y1="{TOP - 6}" x2="{across:.1f}" y2="{bottom}" stroke="#a33"/>')
    return "\n".join([*parts, "</svg>", ""])
