"""What importing does, and does not: models are imported in production, and Alembic loads plugins half-imported."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from zipfile import ZipFile

import pytest

import alembic_upsert_guard

FOLDER = Path(alembic_upsert_guard.__file__).parent
MODULES = sorted(
    ".".join(path.relative_to(FOLDER.parent).with_suffix("").parts).removesuffix(".__init__")
    for path in FOLDER.rglob("*.py")
)


def fresh(code: str) -> str:
    """What an interpreter of its own prints for `code`, warnings being errors; it must go through."""
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(code)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout.strip()


def test_the_package_imports_no_alembic() -> None:
    """SQLAlchemy is all that an application needs; declaring and asking for conflict targets included."""
    loaded = fresh("""
        import sys
        from alembic_upsert_guard import *
        from sqlalchemy import Column, Integer, MetaData, Table
        table = Table("t", MetaData(), Column("a", Integer), UpsertKey("a"))
        conflict_target(table)
        declared_upsert_keys(table)
        print(*sorted({name.partition(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)))
    """).split()

    assert {"alembic_upsert_guard", "sqlalchemy"} <= set(loaded)
    assert not {"alembic", "mako"} & set(loaded)


def test_a_scan_without_models_imports_no_sqlalchemy(tmp_path: Path) -> None:
    """It would take longer to import than a small project takes to read."""
    (tmp_path / "app.py").write_text(
        "SQL = 'INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO NOTHING'\n"
    )
    loaded = fresh(f"""
        import sys
        from alembic_upsert_guard.cli import main
        main(["scan", "--no-cache", "--quiet", {str(tmp_path)!r}])
        print(*sorted({{name.partition(".")[0] for name in sys.modules}}))
    """).split()

    assert "postgast" in loaded
    assert not {"alembic", "sqlalchemy", "sqlglot"} & set(loaded)


def test_the_package_scans_out_of_an_archive(tmp_path: Path) -> None:
    """As Python imports it from a zip file; its own files are then no files whose changes count."""
    archive = tmp_path / "packed.zip"
    with ZipFile(archive, "w") as packed:
        for path in FOLDER.rglob("*.py"):
            packed.write(path, path.relative_to(FOLDER.parent))
    (tmp_path / "app.py").write_text(
        "SQL = 'INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO NOTHING'\n"
    )
    arguments = ["scan", "--quiet", "--cache-dir", str(tmp_path / "cache"), str(tmp_path)]

    printed = fresh(f"""
        import sys
        sys.path.insert(0, {str(archive)!r})
        from alembic_upsert_guard import cli
        print(cli.__file__.startswith({str(archive)!r}), cli.main({arguments!r}))
    """)

    assert printed.splitlines()[-1] == "True 0"


def test_greenlet_is_not_needed() -> None:
    """SQLAlchemy 2.1 has it as an extra: with the plugin that Alembic loads, everything else works without."""
    fresh("""
        import sys
        sys.modules["greenlet"] = None
        import alembic.autogenerate
        import alembic_upsert_guard.cli
        assert "alembic_upsert_guard.migration.compare" in sys.modules
    """)


def test_what_needs_alembic_is_there_when_it_is_asked_for() -> None:
    """``UpsertKeyViolation`` is an error of ours, and one that the ``alembic`` command prints."""
    fresh("""
        import sys
        import alembic_upsert_guard
        assert "alembic" not in sys.modules
        violation = alembic_upsert_guard.UpsertKeyViolation
        assert "alembic" in sys.modules
        from alembic.util import CommandError
        assert issubclass(violation, CommandError)
        assert issubclass(violation, alembic_upsert_guard.UpsertGuardError)
        from alembic_upsert_guard import UpsertKeyViolation
        assert UpsertKeyViolation is violation
    """)


def test_what_is_not_there_is_said_as_usual() -> None:
    """Lazy names do not swallow misspelt ones."""
    with pytest.raises(AttributeError, match="'alembic_upsert_guard' has no attribute 'UpsertKay'"):
        alembic_upsert_guard.UpsertKay  # noqa: B018


def test_every_module_can_be_imported_first() -> None:
    """Each in a fork of its own that has no Alembic, which comes after the packages: no circle, no warning."""
    trouble = fresh(f"""
        import importlib, os, traceback
        # what others import for a tenth of a second and more, so that it is imported once
        import mako.template, pathspec, postgast, sqlalchemy.dialects.postgresql, sqlalchemy.ext.asyncio, sqlalchemy.orm
        import sqlglot, tree_sitter, tree_sitter_javascript, tree_sitter_typescript

        for module in {MODULES!r}:
            if (child := os.fork()) == 0:
                try:
                    importlib.import_module(module)
                    if module.count(".") < 2:
                        importlib.import_module("alembic")
                except BaseException:
                    traceback.print_exc()
                    os._exit(1)
                os._exit(0)
            if os.waitpid(child, 0)[1] != 0:
                print(module)
    """)

    assert len(MODULES) > 20
    assert trouble == ""


def test_every_module_can_be_imported_after_alembic() -> None:
    """Which has loaded the plugin by then."""
    imports = "; ".join(f"import {module}" for module in MODULES)

    fresh(f"import alembic; {imports}")
    fresh(f"import alembic.autogenerate; {imports}")


@pytest.mark.parametrize("order", ["first", "last"])
def test_the_directives_are_there_in_either_order(order: str) -> None:
    """The plugin is set up once, whoever is imported first."""
    imports = ["import alembic_upsert_guard", "from alembic.operations import Operations"]

    fresh(f"""
        {"; ".join(imports if order == "first" else reversed(imports))}
        assert callable(Operations.validate_upsert_key)
        assert callable(Operations.verify_upsert_key)
    """)


def test_importing_listens_to_nothing() -> None:
    """The first declared key does: an application without one pays nothing."""
    fresh("""
        from sqlalchemy import Column, Index, Integer, MetaData, Table, UniqueConstraint
        import alembic
        from alembic_upsert_guard import UpsertKey

        def listens():
            told = [
                *UniqueConstraint("a").dispatch.after_parent_attach,
                *Index("i", "a").dispatch.after_parent_attach,
                *MetaData().dispatch.before_create,
                *Table("u", MetaData()).dispatch.before_create,
            ]
            return any("upsert_guard" in function.__module__ for function in told)

        Table("t", MetaData(), Column("a", Integer, unique=True))
        UpsertKey("a")
        assert not listens()
        Table("t", MetaData(), Column("a", Integer), UpsertKey("a"))
        assert listens()
    """)


def test_a_star_import_is_the_list_of_what_is_offered() -> None:
    """Everything public, and nothing that would import Alembic."""
    assert fresh("""
        import sys
        names = {}
        exec("from alembic_upsert_guard import *", names)
        assert "alembic" not in sys.modules
        print(*sorted(name for name in names if not name.startswith("__")))
    """).split() == [
        "DeclarationError",
        "DeclaredUpsertKey",
        "Finding",
        "UndeclaredUpsertKeyError",
        "UnsupportedUpsertKeyError",
        "UpsertGuardError",
        "UpsertKey",
        "check_keys",
        "conflict_target",
        "declare_upsert_key",
        "declared_upsert_keys",
        "observe",
    ]
