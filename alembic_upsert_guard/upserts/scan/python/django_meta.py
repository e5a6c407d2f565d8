"""What a model of Django's inherits, and what its ``Meta`` says: whether it has a table, and which."""

from __future__ import annotations

import ast
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...target import Cause, Unread
from .binding import Assigned, Defined
from .bindings import bindings_in
from .scope import Argument
from .values import Class, External

if TYPE_CHECKING:
    from .binding import Binding
    from .meaning import Names
    from .values import Meaning

__all__ = ["KNOWN_FIELDS", "Ancestry", "DjangoMeta", "is_of_django_models", "stated_in"]

_AUTH = "django.contrib.auth"
_LOGIN = ("last_login", "password")
_USER = ("date_joined", "email", "first_name", "is_active", "is_staff", "last_name", "username")
KNOWN_FIELDS: dict[str, frozenset[str]] = {
    "django.db.models.Model": frozenset(),
    "django.db.models.base.Model": frozenset(),
    "django.contrib.gis.db.models.Model": frozenset(),
    f"{_AUTH}.base_user.AbstractBaseUser": frozenset(_LOGIN),
    f"{_AUTH}.models.AbstractBaseUser": frozenset(_LOGIN),
    f"{_AUTH}.models.PermissionsMixin": frozenset({"is_superuser"}),
    f"{_AUTH}.models.AbstractUser": frozenset({*_LOGIN, *_USER, "is_superuser"}),
    "django_extensions.db.models.TimeStampedModel": frozenset({"created", "modified"}),
    "model_utils.models.TimeStampedModel": frozenset({"created", "modified"}),
    "psqlextra.models.PostgresModel": frozenset(),
}
"""Models without a table that are known by name, and their fields, each a column of its name.

None states a ``db_table`` or an ``app_label``.
"""

_PLAIN_METAS = ("django_stubs_ext.",)
"""Packages whose bases of a ``Meta`` are for type checkers."""


@dataclass(frozen=True, slots=True)
class Ancestry:
    """What a class inherits from."""

    models: tuple[Class, ...]
    """Itself and the classes of the tree that are models of Django's, in the order of lookup."""
    outside: tuple[str, ...]
    """What is no class of the tree, and not known, as it is written."""
    known: tuple[str, ...]
    """Those of :data:`KNOWN_FIELDS`."""


class DjangoMeta:
    """Reads what classes inherit."""

    def __init__(self, names: Names) -> None:
        """Nothing is read yet."""
        self._names = names
        self._known: dict[Class, Ancestry] = {}

    def ancestry(self, of: Class) -> Ancestry:
        """Return what a class inherits from."""
        if of not in self._known:
            lineage = self._names.members.lineage(of)
            models = tuple(each for each in lineage if self._is_model(each))
            known, outside = self._bases(lineage)
            self._known[of] = Ancestry(models, outside, known)
        return self._known[of]

    def is_abstract(self, of: Class) -> bool | None:
        """Return whether a class has no table of its own; None: its ``Meta`` does not say it in so many words."""
        match stated_in(of, "Meta"):
            case []:
                return False
            case [Defined(ast.ClassDef() as meta)]:
                return self._says_abstract(Class(of.module, meta))
        return None

    def _says_abstract(self, meta: Class) -> bool | None:
        match stated_in(meta, "abstract"):
            case []:
                # of a model's Meta, Django has set it to False before another inherits it (ModelBase.__new__)
                inherited = self._names.members.lineage(meta)[1:]
                says = (stated_in(each, "abstract") for each in inherited if not _owner(each))
                return None if any(says) else False
            case [Assigned(ast.Constant(value=bool(value)))]:
                return value
        return None

    def option(self, of: Class, name: str) -> Argument | Unread | None:
        """Return what the ``Meta`` of a model, its own or an inherited one, gives an option; None: nothing."""
        meta = self._meta(of)
        if not isinstance(meta, Class):
            return meta
        lineage = self._names.members.lineage(meta)
        for each in lineage:
            if each != meta and self._is_of_concrete(each):
                break  # there is no such attribute: a model with a table does not keep its Meta
            match stated_in(each, name):
                case []:
                    continue
                case [Assigned(ast.expr() as value)]:
                    return Argument(each.scope, value)
            return Unread(f"{name} in the Meta of {of.qualname} is no constant (Django)")
        else:
            _, outside = self._bases(lineage)
            if not outside:
                return None
        return Unread(
            f"what the Meta of {of.qualname} inherits is not read (Django)", Cause.LIBRARY
        )

    def _meta(self, of: Class) -> Class | Unread | None:
        """The ``Meta`` of a model, as ``ModelBase.__new__`` finds it; None: there is none."""
        ancestry = self.ancestry(of)
        for each in self._names.members.lineage(of):
            found = stated_in(each, "Meta")
            is_concrete = each in ancestry.models and self.is_abstract(each) is False
            if not found or (each != of and is_concrete):
                continue
            match found:
                case [Defined(ast.ClassDef() as meta)] if each == of or not ancestry.outside:
                    return Class(each.module, meta)
            break
        else:
            if not ancestry.outside:
                return None
        outside = " and ".join(ancestry.outside) or "others"
        reason = f"the Meta that {of.qualname} may inherit from {outside} is not read (Django)"
        return Unread(reason, Cause.LIBRARY)

    def _is_of_concrete(self, meta: Class) -> bool:
        model = _owner(meta)
        return model is not None and self._is_model(model) and not self.is_abstract(model)

    def _bases(self, lineage: tuple[Class, ...]) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The bases of some classes that are known by name; and those that are not known."""
        known: dict[str, None] = {}
        outside: dict[str, None] = {}
        for each in lineage:
            for base in each.node.bases:
                stated = base.value if isinstance(base, ast.Subscript) else base
                for meaning in self._names.meanings(each.scope, stated):
                    dotted = meaning.dotted if isinstance(meaning, External) else None
                    if dotted in KNOWN_FIELDS:
                        known[dotted] = None
                    elif not self._is_harmless(each, base, meaning):
                        outside[dotted or ast.unparse(base)] = None
            for keyword in each.node.keywords:
                if keyword.arg != "metaclass" or not self._is_usual(each, keyword.value):
                    outside[ast.unparse(keyword.value)] = None
        return tuple(known), tuple(outside)

    def _is_harmless(self, of: Class, base: ast.expr, meaning: Meaning) -> bool:
        match meaning:
            case Class():
                return not isinstance(base, ast.Subscript)
            case External(dotted):
                owner, _, last = dotted.rpartition(".")
                is_known_meta = last == "Meta" and owner in KNOWN_FIELDS
                is_plain = dotted.startswith(_PLAIN_METAS)
                return is_known_meta or is_plain or _is_of_python(dotted)
        return self._names.is_builtin(of.scope, base, "object")

    def _is_usual(self, of: Class, metaclass: ast.expr) -> bool:
        return all(
            isinstance(m, External) and (_is_of_python(m.dotted) or m.dotted.endswith(".ModelBase"))
            for m in self._names.meanings(of.scope, metaclass)
        )

    def _is_model(self, of: Class) -> bool:
        """Whether it inherits from Django's ``Model``; or from what is not known, and has fields of Django's."""
        lineage = self._names.members.lineage(of)
        known, outside = self._bases(lineage)
        return bool(known) or (bool(outside) and any(map(self._has_field, lineage)))

    def _has_field(self, of: Class) -> bool:
        return any(
            isinstance(m, External) and is_of_django_models(m.dotted)
            for statement in of.node.body
            if isinstance(statement, ast.Assign | ast.AnnAssign)
            and isinstance(statement.value, ast.Call)
            for m in self._names.meanings(of.scope, statement.value.func)
        )


def stated_in(of: Class, name: str) -> list[Binding]:
    """Return what the body of a class binds a name to, which is not read where a condition decides it."""
    return [
        binding
        if _is_in_body(of, binding)
        else Unread(f"{name} of {of.qualname} is set in a branch")
        for binding in bindings_in(of.module, of.node, name)
    ]


def _is_in_body(of: Class, binding: Binding) -> bool:
    match binding:
        case Assigned(ast.expr() as value):
            statement = of.module.parent(value)
            return statement is not None and of.module.parent(statement) is of.node
        case Defined(node):
            return of.module.parent(node) is of.node
    return False


def _owner(meta: Class) -> Class | None:
    """The class that a Meta is written in; None: it is in none."""
    around = meta.module.parent(meta.node)
    return Class(meta.module, around) if isinstance(around, ast.ClassDef) else None


def is_of_django_models(dotted: str) -> bool:
    """Return whether a full name is one of Django's packages of fields."""
    return dotted.startswith(
        (
            "django.db.models.",
            "django.contrib.gis.db.models.",
            "django.contrib.postgres.fields.",
            "django.contrib.contenttypes.fields.",
        )
    )


def _is_of_python(dotted: str) -> bool:
    return dotted.partition(".")[0] in sys.stdlib_module_names
