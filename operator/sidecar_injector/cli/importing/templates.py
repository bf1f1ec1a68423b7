"""Templates of Istio's `config`: which of ours stand for Istio's own, and what the others become."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sidecar_injector.cli.go_templates.findings import Untranslatable
from sidecar_injector.cli.go_templates.translate import translate
from sidecar_injector.cli.importing.stock import Verdict, is_injected, judge
from sidecar_injector.config.syntax import DNS_LABEL
from sidecar_injector.profiles.istio.stock import stock_templates


@dataclass
class Templates:
    """What became of the templates, by name.

    texts -- the templates of the config
    stock -- names of those that are ours, in place of Istio's own
    translated -- names of those that were translated
    changed -- of those in `stock`: what looks as if somebody had changed Istio's
    refused -- of those left out: why, a line for each reason
    skipped -- names of those that are no injection
    notes -- what differs in those that were translated
    """

    texts: dict[str, str] = field(default_factory=dict)
    stock: list[str] = field(default_factory=list)
    translated: list[str] = field(default_factory=list)
    changed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    refused: dict[str, tuple[str, ...]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def refuse(self, name: str, *reasons: str) -> None:
        """Leave a template out."""
        self.texts.pop(name, None)
        for names in (self.stock, self.translated):
            if name in names:
                names.remove(name)
        self.refused[name] = reasons


def convert_templates(given: Mapping[str, object], values: Mapping[str, object]) -> Templates:
    """Return what becomes of these templates in a config with these values."""
    found = Templates()
    ours = stock_templates()
    for name, text in given.items():
        if not isinstance(text, str):
            found.refuse(name, "it is no text")
        elif not is_injected(name):
            found.skipped.append(name)
        elif fault := DNS_LABEL.fault(name):
            found.refuse(name, f"its name {fault}; give it one, and change the Pods that ask for it")
        elif name in ours and (judged := judge(name, text)).verdict is not Verdict.OTHER:
            found.texts[name] = ours[name]
            found.stock.append(name)
            if judged.foreign:
                found.changed[name] = judged.foreign
        else:
            _translate(found, name, text, values)
    return found


def _translate(found: Templates, name: str, text: str, values: Mapping[str, object]) -> None:
    try:
        translation = translate(text, values)
    except Untranslatable as refusal:
        found.refuse(name, *map(str, refusal.findings))
        return
    found.texts[name] = translation.source
    found.translated.append(name)
    found.notes += [f"template {name}, {note}" for note in translation.notes]
