"""Istio's templates, which are Go templates, as templates of ours: translated exactly, or refused with every reason.

    Go source ──lexer, parser──► tree ──statements──► draft ──places, printing, layout──► our source

A Go template makes text, ours makes data: so a value is not put into quotes and indented but printed as what it is.
How depends on the YAML around it, which is found by parsing what the template makes, in every way through it.

In reading order:

    translate    the steps, and the proof that what comes out says the same
    lexer, tree, parser     Go's syntax
    values       expressions of ours, with what Go knows of their values
    data         what Istio gives a template, by Go's names
    calls, functions_*, functions     what Go's functions become
    statements   conditions, loops, variables
    pieces       what is between the two languages
    places       where in the YAML each value stands
    printing     how it is printed there
    layout       our source, and what it says when it is read back
    findings     what is refused
"""
