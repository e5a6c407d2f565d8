"""Links to the project come from one place, so that a move of it is one command."""

from __future__ import annotations

import yaml

from tests.addresses import ROOT, Addresses, addresses, linked

ELSEWHERE = Addresses(
    "https://git.example/team/alembic-upsert-guard", "https://pages.example/alembic-upsert-guard/"
)


def test_every_link_to_the_project_leads_where_pyproject_says() -> None:
    """README, pages, templates and the package: a link with another owner, host or path is a stranger."""
    here = addresses()
    files = list(linked())

    assert len(files) > 40
    assert {
        str(path): found
        for path in files
        if (found := here.strangers(path.read_text(encoding="utf-8")))
    } == {}


def test_the_site_is_built_for_the_same_addresses() -> None:
    """Canonical links, and those to the repository, come from `mkdocs.yml`."""
    here = addresses()
    # its other tags are Python's
    lines = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").splitlines()
    site = yaml.safe_load("\n".join(line for line in lines if line.startswith(("site_", "repo_"))))

    assert (site["repo_url"], site["site_url"]) == (here.source, here.site)


def test_a_moved_file_has_no_link_to_the_old_place() -> None:
    """`python -m tests.addresses SOURCE SITE` moves every file that has one, `uses:` of the action among them."""
    here = addresses()
    texts = [path.read_text(encoding="utf-8") for path in linked()]
    before = [text for text in texts if ELSEWHERE.strangers(text)]
    after = [here.moved(text, ELSEWHERE) for text in before]

    assert len(before) >= 5
    assert any(f"uses: {ELSEWHERE.action}@" in text for text in after)
    assert [found for text in after if (found := ELSEWHERE.strangers(text))] == []
