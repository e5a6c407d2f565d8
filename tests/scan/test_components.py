"""Scripts of Vue, Svelte and Astro: every character of them keeps its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.upserts.scan import scan

if TYPE_CHECKING:
    from pathlib import Path

CALL = "client.from('t').upsert(rows, { onConflict: 'a' });"

COMPONENTS = {
    "frontmatter.astro": f"---\nconst a = 1;\n{CALL}\n---\n<p>{{a}}</p>\n",
    "behind.astro": f"---\nconst a = '---';\n---\n<p>{{a}}</p>\n<script>\n{CALL}\n</script>\n",
    "setup.vue": f"<script>\nconst a = 1\n</script>\n<script setup>\n{CALL}\n</script>\n",
    "one_line.vue": f"<template>\n<b/></template>\n<script lang='ts'>{CALL}</script>",
    "template.svelte": f"{{#if a < b}}<i/>{{/if}}\r\n<script>\r\n{CALL}\r\n</script>\r\n",
    "umlauts.vue": f"<template>größer 漢字 🎉</template>\n<script>\n{CALL}\n</script>",
}

BETWEEN_TAGS = {
    "handler.svelte": f"<p>Don't</p>\n<b on:click={{() => {CALL[:-1]}}}>\n<!-- {{{CALL}}} --><i>upsert</i>",
    "await.svelte": f"<script>\nlet a;\n</script>\n{{#await {CALL[:-1]}}}<i/>{{/await}}",
    "expression.astro": f"---\nconst a = 1;\n---\n<p>{{rows.map((row) => <b>{{{CALL[:-1]}}}</b>)}}</p>\n",
    "handler.vue": f'<template>\n<b title="upsert" @click="a = 1;\n{CALL}">x</b></template>\n<script setup></script>',
    "comment.vue": f'<template><!-- <b @click="{CALL}"/> -->\n<b @click="{CALL}"/></template>',
}
COMPONENTS.update(BETWEEN_TAGS)


@pytest.mark.parametrize("name", COMPONENTS)
def test_an_upsert_is_at_its_line(tmp_path: Path, name: str) -> None:
    """Counted in the file, wherever in it the script is."""
    (tmp_path / name).write_bytes(COMPONENTS[name].encode())

    (judged,) = scan([tmp_path], None).upserts

    lines = COMPONENTS[name].split("\n")
    assert CALL[:-1] in lines[(judged.upsert.place.line or 0) - 1]


def test_a_comment_in_a_script_suppresses_a_finding(tmp_path: Path) -> None:
    """As in any other file."""
    comment = "// upsert-guard: ignore[unresolved-upsert]"
    source = f"<script>\n{CALL.replace(chr(39) + 'a' + chr(39), 'key')} {comment}\n</script>\n"
    (tmp_path / "a.vue").write_text(source)

    report = scan([tmp_path], None)

    assert len(report.upserts) == 1
    assert report.findings == ()


def test_a_script_of_json_is_no_code(tmp_path: Path) -> None:
    """Nor is one that is loaded from elsewhere, or that a comment holds."""
    (tmp_path / "a.vue").write_text(
        f'<script type="application/json">"upsert {CALL}"</script>\n<!-- <script>{CALL}</script> -->\n'
    )

    assert scan([tmp_path], None).upserts == ()


def test_a_call_through_a_helper_shows_both_lines(tmp_path: Path) -> None:
    """The place is the call, in whichever file it is; the helper's own line is beside it, and reported nowhere else."""
    helper = "export const save = (table, rows, key) =>\n  client.from(table).upsert(rows, { onConflict: key });\n"
    (tmp_path / "db.ts").write_text(helper)
    (tmp_path / "page.vue").write_text(
        "<script>\nimport { save } from './db';\nsave('t', rows, 'a');\n</script>\n"
    )

    (judged,) = scan([tmp_path], None).upserts

    place = judged.upsert.place
    assert (place.path, place.line) == (str(tmp_path / "page.vue"), 3)
    assert (place.written.path, place.written.line) == (str(tmp_path / "db.ts"), 2)
