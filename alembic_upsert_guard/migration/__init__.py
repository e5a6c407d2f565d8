"""The Alembic side: the only code that imports it.

Alembic loads its plugins, this one too, while it is being imported itself. It is therefore imported here, before
any module of this folder: whichever of them is asked for first, none is half-built when the plugin is set up.
"""

from __future__ import annotations

import alembic  # noqa: F401 - see above
