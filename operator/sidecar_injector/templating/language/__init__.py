"""The template language: Jinja2, closed to what is listed here, with limits and messages in the user's words.

In reading order:

    values, undefined              what expressions work on
    context                        the state of one rendering: slots and budget
    vocabulary, filters_…, tests,  what a template can call
    functions, methods
    operations, calls              what runs in place of Python's operators and calls
    lines, parsing, checks,        from source to a syntax tree that uses them
    rewrite
    evaluation, residue            what is done of a template when its config is accepted, and what is left
    sandbox                        the environment that ties it together
    words, expressions             for messages
"""
