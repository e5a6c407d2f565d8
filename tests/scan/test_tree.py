"""What keeps a file from being read becomes a line of the report, and the rest is scanned."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from alembic_upsert_guard.upserts.scan import Problem, scan
from alembic_upsert_guard.upserts.scan.files import LARGEST
from alembic_upsert_guard.upserts.scan.gitignore import GitIgnore

if TYPE_CHECKING:
    from collections.abc import Callable

    from alembic_upsert_guard.upserts.scan import DeclaredTables, ScanReport

SAVE = "INSERT INTO accounts (tenant) VALUES (1) ON CONFLICT (tenant, email) DO NOTHING;\n"


def problems(report: ScanReport) -> list[tuple[str, str, int | None]]:
    """File name, reason and line of each."""
    return [(os.path.basename(p.path), p.reason, p.line) for p in report.problems]  # noqa: PTH119


def unread(report: ScanReport) -> list[tuple[str, int, str]]:
    """File name, line and fact of each finding that says so."""
    return [
        (Path(f.location.path).name, f.location.line, f.fact)
        for f in report.findings
        if f.code == "unread-file" and f.location is not None
    ]


def lines(report: ScanReport) -> list[tuple[str, int]]:
    """File name and line of each call site."""
    return [(os.path.basename(j.upsert.place.path), j.upsert.place.line) for j in report.upserts]  # noqa: PTH119


def test_a_syntax_error_is_a_line(scanned: Callable[..., ScanReport]) -> None:
    """Told with its line; the other file is scanned."""
    report = scanned(broken_py="# upsert\n\ndef save(:\n", good_sql=SAVE)

    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    reason = f"it does not parse as Python {version}: invalid syntax"
    assert problems(report) == [("broken.py", reason, 3)]
    assert unread(report) == [
        ("broken.py", 3, f"what this file holds is not known: {reason}"),
    ]
    assert lines(report) == [("good.sql", 1)]


def test_what_would_not_parse_is_nothing_without_evidence(
    scanned: Callable[..., ScanReport],
) -> None:
    """Names and comments that hold a word are none: the file is for another Python, and upserts nothing."""
    report = scanned(old_py="def upsert_user(name):\n    print 'saved', name\n", good_sql=SAVE)

    assert problems(report) == []
    assert lines(report) == [("good.sql", 1)]


def test_python_that_is_nested_too_deeply_is_a_line(scanned: Callable[..., ScanReport]) -> None:
    """No traceback, whichever way the parser gives up."""
    report = scanned(deep_py=f"upsert = {'(' * 5000}{')' * 5000}\n", good_sql=SAVE)

    assert [name for name, _, _ in problems(report)] == ["deep.py"]
    assert lines(report) == [("good.sql", 1)]


def test_a_sum_of_thousands_is_a_line_or_is_read(scanned: Callable[..., ScanReport]) -> None:
    """Trees are walked without running out of stack."""
    report = scanned(long_py=f"upsert = {' + '.join(['1'] * 20000)}\n", good_sql=SAVE)

    assert {name for name, _, _ in problems(report)} <= {"long.py"}
    assert lines(report) == [("good.sql", 1)]


def test_what_python_warns_of_is_not_reported(scanned: Callable[..., ScanReport]) -> None:
    """A backslash too few in the scanned code is no concern of ours; warnings are errors here."""
    report = scanned(service_py=f"PATTERN = '\\d'\nSAVE = '{SAVE.strip()}'\n")

    assert problems(report) == []
    assert lines(report) == [("service.py", 2)]


def test_bytes_that_do_not_decode_are_a_line(folder: Path, shop: DeclaredTables) -> None:
    """Told with the line that they stand in."""
    (folder / "latin.sql").write_bytes(b"-- two\n-- caf\xe9\n" + SAVE.encode())
    (folder / "latin.js").write_bytes(b"// upsert caf\xe9\n")
    (folder / "latin.py").write_bytes(b"upsert = 'caf\xe9'\n")
    (folder / "good.sql").write_text(SAVE)

    report = scan([folder], shop)

    assert [name for name, _, _ in problems(report)] == ["latin.js", "latin.py", "latin.sql"]
    assert problems(report)[0][1:] == ("it is not UTF-8: byte 0xe9", 1)
    assert problems(report)[2] == ("latin.sql", "it is not UTF-8: byte 0xe9", 2)
    assert lines(report) == [("good.sql", 1)]


def test_python_in_an_encoding_of_its_own_is_read(folder: Path, shop: DeclaredTables) -> None:
    """PEP 263: the file says so in its first lines."""
    (folder / "latin.py").write_bytes(
        b"# -*- coding: latin-1 -*-\n# caf\xe9\nSAVE = '" + SAVE.strip().encode() + b"'\n"
    )

    assert lines(scan([folder], shop)) == [("latin.py", 3)]


def test_sql_as_windows_writes_it_is_read(folder: Path, shop: DeclaredTables) -> None:
    """UTF-16 with its mark, UTF-8 with its mark."""
    (folder / "16.sql").write_text(f"-- a\n{SAVE}", encoding="utf-16")
    (folder / "8.sql").write_text(f"-- a\r\n{SAVE}", encoding="utf-8-sig")

    report = scan([folder], shop)

    assert problems(report) == []
    assert lines(report) == [("16.sql", 2), ("8.sql", 2)]


def test_a_string_of_javascript_may_hold_a_null_byte(folder: Path, shop: DeclaredTables) -> None:
    """A key that is put together of two; what is no text all the same is binary."""
    (folder / "keys.ts").write_bytes(b"const key = 'a\0b';\nsql`" + SAVE.encode() + b"`;\n")
    (folder / "image.ts").write_bytes(b"\x89PNG\x00upsert")

    report = scan([folder], shop)

    assert problems(report) == [("image.ts", "it is binary", None)]
    assert lines(report) == [("keys.ts", 2)]


def test_a_binary_file_is_a_line(folder: Path, shop: DeclaredTables) -> None:
    """Whatever its name promises."""
    (folder / "image.py").write_bytes(b"\x89PNG\x00upsert")
    (folder / "good.sql").write_text(SAVE)

    report = scan([folder], shop)

    assert problems(report) == [("image.py", "it is binary", None)]
    assert lines(report) == [("good.sql", 1)]


def test_a_file_of_50_mb_is_a_line(folder: Path, shop: DeclaredTables) -> None:
    """One of them names an upsert, behind the first megabyte; the other does not, and is no matter of ours."""
    for name, text in (("dump.sql", b"ON CONFLICT"), ("data.sql", b"ON COMMIT")):
        with (folder / name).open("wb") as file:
            file.seek(3 * 1024 * 1024 - 5)
            file.write(text)
            file.truncate(50 * 1024 * 1024)
    (folder / "good.sql").write_text(SAVE)

    report = scan([folder], shop)

    assert problems(report) == [
        ("dump.sql", "it has 50 MB, and files of more than 8 MB are not read", None)
    ]
    assert lines(report) == [("good.sql", 1)]
    assert LARGEST == 8 * 1024 * 1024


BUNDLE = "db.query(`INSERT INTO accounts VALUES (1) ON CONFLICT (tenant, email) DO NOTHING`);" * 2
LEFT_OUT = "it is minified, and its sources are elsewhere; name it to read it"


@pytest.mark.parametrize(
    ("name", "text"), [("app.min.js", BUNDLE), ("app.js", BUNDLE + " " * 256 * 1024)]
)
def test_a_bundle_is_left_out_and_said(
    folder: Path, shop: DeclaredTables, name: str, text: str
) -> None:
    """By its name, or by its size; it is read where it is named itself."""
    (folder / name).write_text(text)

    assert problems(scan([folder], shop)) == [(name, LEFT_OUT, None)]
    assert lines(scan([folder / name], shop)) == [(name, 1), (name, 1)]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("app.js", BUNDLE),
        ("app.min.js", BUNDLE + "\n" * 2),
        ("app.js", BUNDLE + " \n" * 128 * 1024),
    ],
)
def test_what_a_person_wrote_is_no_bundle(
    folder: Path, shop: DeclaredTables, name: str, text: str
) -> None:
    """A small file of one line, and one with lines of a person's length."""
    (folder / name).write_text(text)

    assert lines(scan([folder], shop)) == [(name, 1), (name, 1)]


def test_a_file_that_may_not_be_read_is_a_line(folder: Path, shop: DeclaredTables) -> None:
    """A file without its rights, unless the tests run as root, who may read anything."""
    (folder / "secret.sql").write_text(SAVE)
    (folder / "secret.sql").chmod(0)
    if os.access(folder / "secret.sql", os.R_OK):
        pytest.skip("everything may be read here")

    assert problems(scan([folder], shop)) == [
        ("secret.sql", "it cannot be read: Permission denied", None)
    ]


def test_links_in_a_circle_are_a_line(folder: Path, shop: DeclaredTables) -> None:
    """A link to itself, and one to a folder above it."""
    (folder / "good.sql").write_text(SAVE)
    (folder / "self.sql").symlink_to(folder / "self.sql")
    (folder / "inner").mkdir()
    (folder / "inner" / "up").symlink_to(folder, target_is_directory=True)

    report = scan([folder], shop)

    assert problems(report) == [
        ("up", "it is a link to a folder that it is in, and is not followed", None),
        ("self.sql", "it is a link that leads nowhere", None),
    ]
    assert unread(report) == []
    assert lines(report) == [("good.sql", 1)]


def test_a_linked_folder_is_scanned_once(folder: Path, shop: DeclaredTables) -> None:
    """Under its own name where it has one in the tree, else under the link's."""
    for inner in ("b", ".shared"):
        (folder / inner).mkdir()
        (folder / inner / "good.sql").write_text(SAVE)
    (folder / "a").symlink_to(folder / "b", target_is_directory=True)
    (folder / "c").symlink_to(folder / ".shared", target_is_directory=True)

    report = scan([folder, folder / "b"], shop)

    assert [j.upsert.place.path for j in report.upserts] == [
        str(folder / "b" / "good.sql"),
        str(folder / "c" / "good.sql"),
    ]
    assert report.files == 2


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_link_out_of_the_paths_is_not_followed(
    folder: Path, shop: DeclaredTables, tmp_path: Path, kind: str
) -> None:
    """It is said, and no finding; named itself, or with the folder that it leads to, it is read."""
    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "shared.sql").write_text(SAVE)
    target = tmp_path / "shared" / ("shared.sql" if kind == "file" else "")
    link = folder / ("link.sql" if kind == "file" else "link")
    link.symlink_to(target)

    report = scan([folder], shop)

    assert problems(report) == [
        (link.name, "it is a link out of what is scanned, and is not followed", None)
    ]
    assert (report.upserts, report.findings) == ((), ())
    assert len(scan([link], shop).upserts) == 1
    assert len(scan([folder, tmp_path / "shared"], shop).upserts) == 1


def test_a_pipe_is_not_waited_for(folder: Path, shop: DeclaredTables) -> None:
    """Nor read, whatever its name promises."""
    os.mkfifo(folder / "pipe.sql")
    (folder / "good.sql").write_text(SAVE)

    report = scan([folder], shop)

    assert problems(report) == [("pipe.sql", "it is no regular file", None)]
    assert unread(report) == []
    assert lines(report) == [("good.sql", 1)]


def test_a_comment_suppresses_a_file_that_does_not_parse(
    scanned: Callable[..., ScanReport],
) -> None:
    """On any line of it; with another code it suppresses nothing."""
    broken = "# upsert-guard: ignore[{}]\ndef save(:\n"
    report = scanned(
        a_py=broken.format("unread-file"), b_py=broken.format("unresolved-upsert"), good_sql=SAVE
    )

    assert [(name, line) for name, line, _ in unread(report)] == [("b.py", 2)]


def test_a_broken_file_that_names_no_upsert_is_no_finding(
    scanned: Callable[..., ScanReport],
) -> None:
    """It is never parsed; its twin names one."""
    report = scanned(a_py="def save(:\n", b_py="def upsert(:\n", good_sql=SAVE)

    assert [name for name, _, _ in unread(report)] == ["b.py"]


def test_a_file_that_takes_too_long_is_a_line(
    scanned: Callable[..., ScanReport], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one with half a million rows; the rest is scanned."""
    monkeypatch.setattr("alembic_upsert_guard.upserts.scan.readers.SECONDS", 0.5)
    rows = ", ".join(["(1)"] * 500_000)
    report = scanned(
        slow_sql=f"INSERT INTO t (a) VALUES {rows} ON CONFLICT (a) DO NOTHING;", good_sql=SAVE
    )

    assert problems(report) == [("slow.sql", "it took more than 0 seconds of processor time", None)]
    assert lines(report) == [("good.sql", 1)]


# -- what git leaves out


def test_what_git_ignores_is_left_out(folder: Path, shop: DeclaredTables) -> None:
    """Nested files, negation, folders; a file that is named itself is read."""
    (folder / ".gitignore").write_text("/out/\n*.gen.sql\n!keep.gen.sql\n")
    (folder / "inner").mkdir()
    (folder / "inner" / ".gitignore").write_text("!b.gen.sql\nc.sql\n")
    (folder / "out").mkdir()
    for name in ("a.gen.sql", "keep.gen.sql", "c.sql", "out/o.sql", "inner/b.gen.sql"):
        (folder / name).write_text(SAVE)
    for name in ("inner/a.gen.sql", "inner/c.sql"):
        (folder / name).write_text(SAVE)

    assert sorted(lines(scan([folder], shop))) == [
        ("b.gen.sql", 1),
        ("c.sql", 1),
        ("keep.gen.sql", 1),
    ]
    assert lines(scan([folder / "a.gen.sql"], shop)) == [("a.gen.sql", 1)]


def test_a_list_of_what_git_keeps_is_read(folder: Path, shop: DeclaredTables) -> None:
    """Everything is ignored, but for folders and what is taken in again."""
    (folder / ".gitignore").write_text("*\n!*/\n!*.sql\n[\n!\n")
    (folder / "src").mkdir()
    (folder / "src" / "good.sql").write_text(SAVE)
    (folder / "src" / "other.py").write_text(f"SAVE = '{SAVE.strip()}'\n")

    assert lines(scan([folder], shop)) == [("good.sql", 1)]


def test_what_is_ignored_here_is_not_ignored_in_the_root(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scan of everything is not held to the file of the folder that it was begun in."""
    (folder / ".gitignore").write_text("srv\n")
    monkeypatch.chdir(folder)

    assert not GitIgnore().leaves_out(f"{os.sep}srv", is_folder=True, start=os.sep)
    assert GitIgnore().leaves_out("srv", is_folder=True, start=".")


def test_a_pattern_made_to_hang_is_not_honoured(folder: Path, shop: DeclaredTables) -> None:
    """Its regular expression would go through a name's every way to be cut up."""
    (folder / ".gitignore").write_text(f"{'*a' * 30}b\n*.gen.sql\n")
    (folder / f"{'a' * 200}.sql").write_text(SAVE)
    (folder / "b.gen.sql").write_text(SAVE)

    assert len(scan([folder], shop).upserts) == 1


def test_what_the_project_excludes_is_left_out(folder: Path, shop: DeclaredTables) -> None:
    """By a name, or by an absolute path."""
    for name in ("a", "b"):
        (folder / name).mkdir()
        (folder / name / "seed.sql").write_text(SAVE)

    assert len(scan([folder], shop, exclude=["seed.*"]).upserts) == 0
    (only,) = scan([folder], shop, exclude=[f"{folder}/a/"]).upserts
    assert only.upsert.place.path == str(folder / "b" / "seed.sql")


def test_a_path_that_is_not_there_is_a_line(folder: Path, shop: DeclaredTables) -> None:
    """Nothing is scanned in its place."""
    report = scan([folder / "nowhere"], shop)

    assert problems(report) == [("nowhere", "it cannot be read: No such file or directory", None)]
    assert report.files == 0


@pytest.mark.parametrize(
    "left_out", [".hidden", "node_modules", "__pycache__", "venv", "deep/.git"]
)
def test_what_is_not_ours_is_left_out(folder: Path, shop: DeclaredTables, left_out: str) -> None:
    """Unless it is named itself."""
    inner = folder / left_out
    inner.mkdir(parents=True)
    if left_out == "venv":
        (inner / "pyvenv.cfg").touch()
    (inner / "seed.sql").write_text(SAVE)

    assert lines(scan([folder], shop)) == []
    assert lines(scan([inner], shop)) == [("seed.sql", 1)]
    assert lines(scan([inner / "seed.sql"], shop)) == [("seed.sql", 1)]


def test_a_file_of_another_kind_is_refused_where_it_is_named(
    folder: Path, shop: DeclaredTables
) -> None:
    """In a folder it is no concern of ours."""
    (folder / "notes.txt").write_text(SAVE)

    assert problems(scan([folder], shop)) == []
    assert scan([folder / "notes.txt"], shop).problems == (
        Problem(
            str(folder / "notes.txt"),
            "it is none of the files that are read: "
            ".py, .sql, .sql.j2, .sql.jinja, .sql.jinja2, "
            ".sql.mysql, .sql.postgres, .sql.postgresql, .sql.sqlite, "
            ".cjs, .cts, .js, .jsx, .mjs, .mts, .ts, .tsx, .astro, .svelte, .vue",
            is_unread=False,
        ),
    )


def test_paths_are_shown_as_they_were_asked_for(
    folder: Path, shop: DeclaredTables, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative ones stay relative."""
    (folder / "seed.sql").write_text(SAVE)
    monkeypatch.chdir(folder.parent)

    assert [j.upsert.place.path for j in scan([folder.name], shop).upserts] == [
        os.path.join(folder.name, "seed.sql")  # noqa: PTH118
    ]


def test_progress_is_reported_file_by_file(folder: Path, shop: DeclaredTables) -> None:
    """The number done, and of all; files that are not parsed count too."""
    for name in ("a.py", "b.sql", "c.ts"):
        (folder / name).write_text("\n")
    progress: list[tuple[int, int]] = []

    scan([folder], shop, progress=lambda done, of: progress.append((done, of)))

    assert progress == [(1, 3), (2, 3), (3, 3)]


def test_a_broken_model_file_hides_no_call_site(scanned: Callable[..., ScanReport]) -> None:
    """An import that leads nowhere is a reason, not an error."""
    report = scanned(
        broken_py="class Account(:\n",
        service_py=(
            "from sqlalchemy.dialects.postgresql import insert\n"
            "from broken import Account\n"
            "insert(Account).on_conflict_do_nothing(index_elements=['a'])\n"
        ),
    )

    assert lines(report) == [("service.py", 3)]
    assert report.upserts[0].findings[0].fact == "which table Account is cannot be read"


def test_a_joined_statement_is_at_the_line_of_its_piece(
    scanned: Callable[..., ScanReport],
) -> None:
    """Line ends that a call puts between pieces are none of the file's."""
    pieces = "['INSERT INTO t (a)', 'VALUES ($1)',\n  'ON CONFLICT (a) DO NOTHING'].join('\\n')"

    report = scanned(a_ts=f"pool.query({pieces});\n")

    assert [judged.upsert.place.line for judged in report.upserts] == [2]


@pytest.mark.parametrize("first", ["a", "z"])
def test_a_helper_is_read_at_its_calls_whichever_file_comes_first(
    tmp_path: Path, first: str
) -> None:
    """One that was parsed before for the sake of another file, which has a function of the same name."""
    save = "(table, key) => client.from(table).upsert([], { onConflict: key });\n"
    (tmp_path / f"{first}.ts").write_text(f"const save = {save}")
    (tmp_path / "helper.ts").write_text(f"export const save = {save}")
    (tmp_path / "page.ts").write_text("import { save } from './helper';\nsave('t', 'a');\n")

    report = scan([tmp_path], None)

    assert {j.upsert.table_name for j in report.upserts if "page" in str(j.upsert.place.path)} == {
        "t"
    }
