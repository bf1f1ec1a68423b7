"""The path of one Pod, pure: an AdmissionReview in, a decision and a JSON Patch out.

In the order in which a request passes:

    review      what was asked, checked
    decide      inject, and if not, why: one table, then the profile's own vocabulary
    status      what an earlier injection left, taken out again; later, the annotation that tells of this one
    render      templates into overlays
    conform     overlays against the schema of a Pod (`spots`: most conform when they are made; `conforming`: the rest)
    overlay     sidecars lowered, overlays merged (`merge`: the strategic merge patch), new containers placed
    profile     what a vocabulary adds: selection, templates, context, finishing rules
    patch       RFC 6902 operations
    respond     the AdmissionReview that goes back

`pipeline` is the sequence itself and `outcome` what comes of it. `facts`, `schema` (resolved from the generated
`pod_schema`), `view` and `workload` are what several steps know about the cluster, the types of a Pod, its parts and
its owner. `shape` says, when something went wrong, whether it was a Pod at all; `once` is for what is worked out once.
"""
