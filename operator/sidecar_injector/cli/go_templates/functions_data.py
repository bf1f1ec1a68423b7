"""Functions that look something up, and those of lists, maps and numbers."""

from dataclasses import replace

from sidecar_injector.cli.go_templates.calls import (
    ENDLESS,
    Arguments,
    Translation,
    as_text,
    collection,
    infix,
    number,
    plain,
    register,
    scalar,
    text,
    together,
)
from sidecar_injector.cli.go_templates.findings import Refused
from sidecar_injector.cli.go_templates.values import (
    ANY,
    NUMBER,
    POISON,
    TEXT,
    UNKNOWN,
    Base,
    Expr,
    Form,
    Kind,
    Level,
    filtered,
    joined,
    member,
    method,
    settled,
    wrapped,
)

# --- looking up


@register("index", least=2, most=ENDLESS)
def _index(arguments: Arguments) -> Expr:
    found = arguments[0]
    for key in arguments[1:]:
        found = _item(found, key)
    return found


def _item(owner: Expr, key: Expr) -> Expr:
    if owner.kind.base is Base.POISON:
        return POISON
    if key.constant and isinstance(key.kind.known, str):
        if owner.kind.base not in (Base.MAP, Base.ANY):
            raise Refused(f"`index` looks up text in `{owner.source}`, which is {owner.kind.base.value}", "use a map")
        return member(owner, key.kind.known)
    item = owner.kind.item or ANY
    if owner.kind.base is Base.LIST:
        return Expr(f"{wrapped(settled(owner), Level.ATOM)}[{number(key).source}]", Level.ATOM, item)
    if owner.kind.base is Base.MAP:
        source = f"{wrapped(settled(owner), Level.ATOM)}[{text(key).source}]"
        return Expr(source, Level.ATOM, item, missing=True)
    raise Refused(f"`index` of `{owner.source}`, which is {owner.kind.base.value}", "look up a key in a map")


@register("isset", "hasKey", least=2)
def _holds(arguments: Arguments) -> Expr:
    owner, key = arguments
    owner = replace(owner, kind=Kind(Base.MAP, item=ANY)) if owner.kind.base is Base.ANY else owner
    return infix(text(key), "in", collection(owner, Base.MAP))


@register("annotation", least=3)
def _annotation(arguments: Arguments) -> Expr:
    meta, key, default = arguments
    if meta.kind.struct is None or meta.kind.struct.name != "ObjectMeta":
        raise Refused("`annotation` looks somewhere else than in `.ObjectMeta`", "use `.ObjectMeta`")
    notes = member(meta, "Annotations")
    found = method(notes, f"get({text(key).source}, {as_text(default).source})", TEXT)
    return replace(found, hint="annotation")


@register("get", least=2)
def _get(arguments: Arguments) -> Expr:
    owner = collection(arguments[0], Base.MAP)
    return method(owner, f'get({text(arguments[1]).source}, "")', ANY)


@register("len", least=1)
def _len(arguments: Arguments) -> Expr:
    if arguments[0].kind.base is Base.ANY:
        raise Refused(f"`len` of `{arguments[0].source}`, which is not set", "set it in the values")
    return filtered(collection(arguments[0], Base.LIST, Base.MAP, Base.TEXT), "length", NUMBER)


@register("first", least=1)
def _first(arguments: Arguments) -> Expr:
    return _end("first", arguments)


@register("last", least=1)
def _last(arguments: Arguments) -> Expr:
    return _end("last", arguments)


def _end(name: str, arguments: Arguments) -> Expr:
    owner = collection(arguments[0], Base.LIST)
    return filtered(owner, name, owner.kind.item or ANY)


@register("has", least=2)
def _has(arguments: Arguments) -> Expr:
    return infix(text(arguments[0]), "in", _texts(arguments[1]))


def _texts(expr: Expr) -> Expr:
    """Return a list of texts, of which Go and we have the same notion. Raises Refused."""
    owner = collection(expr, Base.LIST)
    if owner.kind.item is None or owner.kind.item.base not in (Base.TEXT, Base.ANY):
        raise Refused(f"`{owner.source}` is no list of texts", "loop over it, and compare each item")
    return owner


# --- lists and maps


@register("list", least=0, most=ENDLESS)
def _list(arguments: Arguments) -> Expr:
    parts = [plain(argument) for argument in arguments]
    source = f"[{', '.join(part.source for part in parts)}]"
    return Expr(source, Level.ATOM, Kind(Base.LIST, item=together(parts) if parts else ANY))


@register("append", least=2)
def _append(arguments: Arguments) -> Expr:
    owner, item = collection(arguments[0], Base.LIST), plain(arguments[1])
    kind = owner.kind.item if owner.kind.item and owner.kind.item.base is item.kind.base else ANY
    if owner.source == "[]":
        kind = replace(item.kind, known=UNKNOWN)
    return Expr(f"{wrapped(owner, Level.ADD)} + [{item.source}]", Level.ADD, Kind(Base.LIST, item=kind))


@register("concat", least=1, most=ENDLESS)
def _concat(arguments: Arguments) -> Expr:
    parts = [collection(argument, Base.LIST) for argument in arguments]
    return joined(parts, "+", Level.ADD, together(parts))


@register("uniq", least=1)
def _uniq(arguments: Arguments) -> Expr:
    owner = _texts(arguments[0])
    return filtered(owner, "unique", owner.kind)


@register("sortAlpha", least=1)
def _sort(arguments: Arguments) -> Expr:
    owner = _texts(arguments[0])
    return filtered(owner, "sort", owner.kind)


@register("dict", "strdict", least=0, most=ENDLESS)
def _dict(arguments: Arguments) -> Expr:
    if len(arguments) % 2:
        raise Refused("`dict` has a key without a value", "give each key its value")
    pairs = [(text(arguments[i]), plain(arguments[i + 1])) for i in range(0, len(arguments), 2)]
    source = ", ".join(f"{key.source}: {value.source}" for key, value in pairs)
    kind = together([value for _, value in pairs]) if pairs else ANY
    return Expr(f"{{{source}}}", Level.ATOM, Kind(Base.MAP, item=kind))


@register("omit", least=1, most=ENDLESS)
def _omit(arguments: Arguments) -> Expr:
    return _by_keys("without", arguments)


@register("pick", least=1, most=ENDLESS)
def _pick(arguments: Arguments) -> Expr:
    return _by_keys("pick", arguments)


def _by_keys(name: str, arguments: Arguments) -> Expr:
    owner = collection(arguments[0], Base.MAP)
    keys = ", ".join(text(argument).source for argument in arguments[1:])
    return filtered(owner, f"{name}({keys})", Kind(Base.MAP, item=owner.kind.item))


@register("mergeMaps", least=1, most=ENDLESS)
def _merge_maps(arguments: Arguments) -> Expr:
    first, *others = [collection(argument, Base.MAP) for argument in arguments]
    merged = filtered(first, f"merge({', '.join(other.source for other in others)})", Kind(Base.MAP, item=ANY))
    return merged if others else first


@register("toJsonMap", least=1, most=ENDLESS)
def _to_json_map(arguments: Arguments) -> Expr:
    return replace(_merge_maps(arguments), form=Form.JSON)


@register("omitNil", least=1)
def _omit_nil(arguments: Arguments) -> Expr:
    owner = plain(arguments[0])
    return filtered(owner, "omit_null", replace(owner.kind, known=UNKNOWN))


@register("fromJSON", "fromJson", least=1)
def _from_json(arguments: Arguments) -> Expr:
    return filtered(text(arguments[0]), "from_json", ANY)


@register("kubevirtInterfaces", "excludeInterfaces", least=1)
def _as_it_is(arguments: Arguments) -> Expr:
    return text(arguments[0])


# --- numbers


@register("int", "int64", "atoi", least=1)
def _int(arguments: Arguments) -> Expr:
    return filtered(scalar(arguments[0]), "int", NUMBER)


def _arithmetic(sign: str, level: Level) -> Translation:
    return lambda arguments: joined([number(argument) for argument in arguments], sign, level, NUMBER)


register("add", least=1, most=ENDLESS)(_arithmetic("+", Level.ADD))
register("sub", least=2)(_arithmetic("-", Level.ADD))
register("mul", least=1, most=ENDLESS)(_arithmetic("*", Level.MULTIPLY))


@register("formatDuration", least=1)
def _format_duration(arguments: Arguments) -> Expr:
    value = arguments[0]
    if value.kind.base is not Base.DURATION:
        raise Refused("`formatDuration` of something that is no duration", "print it as it is")
    seconds = filtered(replace(value, kind=NUMBER), 'default("0s", true)', NUMBER) if value.missing else value
    return filtered(filtered(seconds, "duration", NUMBER), "format_duration", Kind(Base.TEXT, filled=True))
