"""Profiles: the vocabularies in which Pods speak to the injector. The config names one."""

from collections.abc import Mapping
from types import MappingProxyType

from sidecar_injector.config.compile import CompiledConfig
from sidecar_injector.config.model import ProfileName
from sidecar_injector.injection.profile import Profile
from sidecar_injector.profiles.generic import Generic
from sidecar_injector.profiles.istio import Istio

PROFILES: Mapping[ProfileName, Profile] = MappingProxyType({ProfileName.ISTIO: Istio(), ProfileName.GENERIC: Generic()})


def profile_for(config: CompiledConfig) -> Profile:
    """Return the profile that a config names."""
    return PROFILES[config.spec.profile]
