"""From an installation of Istio to the SidecarInjectorConfig that injects the same.

sources      the documents, from files or from the cluster
stock        is a template Istio's own, or was it changed?
templates    which templates are taken, and which of ours stand for Istio's
conversion   the documents as a config, checked, and what is to be said about it
report       that, in lines for people
"""
