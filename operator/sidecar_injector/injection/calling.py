"""In which order configs are asked about one Pod: each in turn, and some again after a later one has changed the Pod.

Source: https://kubernetes.io/docs/reference/access-authn-authz/extensible-admission-controllers/#reinvocation-policy
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.model import ReinvocationPolicy
from sidecar_injector.injection.view import Pod

Answer = TypeVar("Answer")


def ask_in_turn(
    pod: Pod,
    configs: Sequence[CompiledConfig],
    ask: Callable[[Pod, CompiledConfig], Answer],
    patched: Callable[[Answer], Pod | None],
) -> tuple[Pod, dict[str, Answer]]:
    """Return the Pod after all configs, and what each answered, by name.

    configs -- in calling order
    ask     -- puts the Pod, as it then is, to a config
    patched -- tells what an answer makes of the Pod; None: it stays as it is
    """
    answers: dict[str, Answer] = {}
    again: list[CompiledConfig] = []
    for position, config in enumerate(configs):
        answers[config.name] = ask(pod, config)
        if (result := patched(answers[config.name])) is not None:
            pod, again = result, list(configs[:position])
    for config in again:
        if config.spec.reinvocation_policy is ReinvocationPolicy.IF_NEEDED:
            answer = ask(pod, config)
            if (result := patched(answer)) is not None:
                pod, answers[config.name] = result, answer
    return pod, answers
