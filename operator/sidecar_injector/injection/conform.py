"""Make an overlay conform to the schema of a Pod, where a template's data has another type than the field.

A number printed into a field of type string becomes its text, and the text of a number becomes a number where the
field is one: an annotation's "8080" is a port. What cannot be meant is an error at the template's line.

Most overlays conform when they are made (`spots`); this is for those that do not, and to say why.
"""

from dataclasses import replace

from sidecar_injector.errors import TemplateRenderError
from sidecar_injector.injection.conforming import Conforming
from sidecar_injector.injection.render import Overlay
from sidecar_injector.injection.schema import OVERLAY


def conform(overlay: Overlay, *, strict: bool = False) -> Overlay:
    """Return the overlay with every scalar of its field's type, and without the lists and maps that are null.

    What stands under a key may all be left out, as by a loop over nothing. A null would then take away what the Pod
    says, and `volumes:` is not meant so; to take away, there are `$patch` directives.

    Raises TemplateRenderError, at the template's line, for a value that does not fit its field; if `strict`, also for
    a field that looks misspelt (a config is checked so when it is accepted; fields unknown to us are left alone).
    """
    if overlay.conforms and not strict:
        return overlay
    if strict:
        _check_kind(overlay)
    return replace(overlay, tree=Conforming(overlay.place, strict=strict).map((), overlay.tree, OVERLAY))


def _check_kind(overlay: Overlay) -> None:
    for field, expected in (("apiVersion", "v1"), ("kind", "Pod")):
        found = overlay.tree.get(field, expected)
        if found != expected:
            raise TemplateRenderError(
                overlay.place((field,)),
                f"{field} is {found!r}, but what a template yields is a partial Pod",
                "Leave it out.",
            )
