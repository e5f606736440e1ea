"""tree.py - what the real parser makes of a query: Prometheus' own /api/v1/parse_query, for comparison of trees, not texts."""

GUARD = {"name": "tenant_id", "type": "=", "value": "a"}


def tree(prometheus, query):
    """The real parser's tree, or None when it refuses. Parentheses are gone: nesting says the same."""
    document = prometheus.get("/api/v1/parse_query", {"query": query}).json()
    return normal(document["data"]) if document["status"] == "success" else None


def normal(node):
    if isinstance(node, list):
        return [normal(n) for n in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") == "parenExpr":
        return normal(node["expr"])
    node = {k: normal(v) for k, v in node.items()}
    if "matchers" in node:
        node["matchers"] = sorted(node["matchers"], key=str)
        node.pop("name", None)  # also among the matchers
    return node


def guarded(node, guard=GUARD):
    """The same tree with the guard in every selector; the very same matcher is not written twice."""
    if isinstance(node, list):
        return [guarded(n, guard) for n in node]
    if not isinstance(node, dict):
        return node
    node = {k: guarded(v, guard) for k, v in node.items()}
    if "matchers" in node and guard not in node["matchers"]:
        node["matchers"] = sorted([*node["matchers"], guard], key=str)
    return node


def selectors(node):
    """Every list of matchers in a tree."""
    if isinstance(node, list):
        return [s for n in node for s in selectors(n)]
    if not isinstance(node, dict):
        return []
    own = [node["matchers"]] if "matchers" in node else []
    return own + [s for k, v in node.items() if k != "matchers" for s in selectors(v)]


def same_tree(setup, query, **more):
    """What leaves Weir is the query's own tree with the guard in each selector, as the real parser reads both."""
    sent = setup.sent(query, **more)
    assert tree(setup.shared, sent) == guarded(tree(setup.shared, query)), f"{query!r} left as {sent!r}"
    return sent
