"""Hierarchies of classes, such as supernova > core collapse > type II.

A hierarchy is a tuple of nodes. Each has a name and members, which are labels or names
of other nodes:

    (("SN", ("SNIa", "CoreCollapse")), ("CoreCollapse", ("SNIbc", "SNII")))

A network predicts some classes at any level of it. The probability of a node is the sum
of those of the classes in it, so that levels cannot contradict each other.
"""

from collections.abc import Iterable, Mapping

import numpy as np

from jaxastro.errors import InputError

Hierarchy = tuple[tuple[str, tuple[str, ...]], ...]


def check_hierarchy(hierarchy: Hierarchy, labels: tuple[str, ...]) -> None:
    """Raises if a hierarchy is not a tree over labels of the survey.

    Args:
        labels: classes of the survey.
    Raises:
        InputError: if a name is unknown, occurs twice, contains +, or if a node
            contains itself.
    """
    names = [name for name, _ in hierarchy]
    members = [member for _, row in hierarchy for member in row]
    for name, row in hierarchy:
        if not name or "+" in name or not row:
            raise InputError(
                f"config.hierarchy: {name!r} with members {row}. A node is a name "
                "without + and at least one member."
            )
    for where, given in (("name of a node", names), ("member", members)):
        twice = sorted({one for one in given if given.count(one) > 1})
        if twice:
            raise InputError(
                f"config.hierarchy has {', '.join(twice)} twice, as a {where}. Name "
                "each once: everything has one parent."
            )
    unknown = [one for one in members if one not in (*labels, *names)]
    if unknown:
        raise InputError(
            f"config.hierarchy has the unknown members {', '.join(unknown)}. The "
            f"survey has {', '.join(labels)}. Use these labels or names of nodes."
        )
    parent = {member: name for name, row in hierarchy for member in row}
    for name in names:
        above = name
        for _ in names:
            above = parent.get(above, "")
        if above:
            raise InputError(
                f"config.hierarchy: {name} contains itself. Every node must end in "
                "labels."
            )


def expand_classes(classes: tuple[str, ...], hierarchy: Hierarchy) -> tuple[str, ...]:
    """Returns each class with all labels below it: SN becomes SN+SNIa+SNIbc+SNII.

    The name of a node is a label too, of objects without a more detailed class.
    """
    return tuple("+".join(_labels(name, dict(hierarchy))) for name in classes)


def nodes_of(classes: tuple[str, ...], hierarchy: Hierarchy) -> dict[str, np.ndarray]:
    """Returns [c] bool for each node of a hierarchy, the classes in it; parents first.

    Nodes without a class in them, and nodes that are classes themselves, are omitted.

    Args:
        classes: c names; "SNIbc+SNII" joins two labels.
    Raises:
        InputError: if a class contains a part of a node and labels outside of it.
    """
    members = dict(hierarchy)
    class_labels = [set(_labels(name, members)) for name in classes]
    used, nodes = set().union(*class_labels), {}
    for name in _parents_first(members):
        inner = set(_labels(name, members)) & used
        inside = np.array([labels <= inner for labels in class_labels])
        cut = [
            one
            for one, labels in zip(classes, class_labels, strict=True)
            if labels & inner and not labels <= inner and not inner <= labels
        ]
        if cut:
            raise InputError(
                f"Class {cut[0]!r} contains a part of {name} and labels outside of it, "
                f"so {name} has no probability. Join classes within it, or all of it, "
                "or remove it from config.hierarchy."
            )
        if inside.any() and name not in classes:
            nodes[name] = inside
    return nodes


def levels_of(
    classes: tuple[str, ...], nodes: Mapping[str, np.ndarray]
) -> list[dict[str, np.ndarray]]:
    """Returns the levels of a hierarchy, the coarsest first.

    Each level is a dict of nodes and classes, in which every class is in one entry. The
    last level has the classes themselves. A class without a node above it is an entry
    of all levels. A level that groups the classes as the next one does is omitted.

    Args:
        nodes: as nodes_of returns them.
    """
    single = dict(zip(classes, np.eye(len(classes), dtype=bool), strict=True))
    paths = [
        [*(name for name, inside in nodes.items() if inside[c]), one]
        for c, one in enumerate(classes)
    ]
    known = single | dict(nodes)
    levels = [
        {
            path[min(depth, len(path) - 1)]: known[path[min(depth, len(path) - 1)]]
            for path in paths
        }
        for depth in range(max(map(len, paths)))
    ]
    parts = [{tuple(inside) for inside in level.values()} for level in levels]
    return [
        level
        for level, part, below in zip(levels, parts, [*parts[1:], ()], strict=True)
        if part != below
    ]


def node_probabilities(
    probability: np.ndarray, entries: Mapping[str, np.ndarray]
) -> np.ndarray:
    """Returns [o n] float64, the probabilities of n nodes or entries of a level.

    Args:
        probability: [o c], of the classes.
        entries: name -> [c] bool, as nodes_of returns them, or a level.
    """
    inside = np.array([*entries.values()], np.float64).reshape(-1, probability.shape[1])
    return np.float64(probability) @ inside.T


def index_within(label: np.ndarray, level: Mapping[str, np.ndarray]) -> np.ndarray:
    """Returns the index of the level's entry that contains each class index."""
    return np.array([*level.values()]).argmax(axis=0)[label]


def node_of_labels(
    labels: np.ndarray, level: Iterable[str], hierarchy: Hierarchy
) -> np.ndarray:
    """Returns [o], the index of the level's entry that contains each label, or -1.

    A label is in an entry if all labels below it are: SNIbc is in SN, while SN is in
    SN itself but in no part of it.

    Args:
        labels: [o], labels of the survey, names of nodes, or several joined by +.
        level: names of classes and nodes, as levels_of returns them.
    """
    members = dict(hierarchy)

    def lowest(name: str) -> set[str]:
        return {one for one in _labels(name, members) if one not in members}

    entry_labels = [lowest(name) for name in level]
    names, of_object = np.unique(labels, return_inverse=True)
    index = [
        next((n for n, inside in enumerate(entry_labels) if lowest(name) <= inside), -1)
        for name in names.tolist()
    ]
    return np.array(index, int)[of_object]


def merge_rare_classes(
    counts: Mapping[str, int], hierarchy: Hierarchy, fewest: int
) -> tuple[str, ...]:
    """Returns the classes, in which rare ones are merged to classes such as SNIbc+SNII.

    A class with fewer than `fewest` objects is rare. Nodes are processed from the
    lowest to the highest. The rare members of a node are merged; if the result is still
    rare, its smallest other member is added. A node that is rare in total is a rare
    member of the node above. A merged class therefore always consists of members of one
    node. It takes the position of its first member.

    Args:
        counts: class -> number of training objects.
        fewest: objects of a class, at least; 0: no class is rare.
    Raises:
        InputError: if a rare class has no node above it, or one class is left.
    """
    classes = tuple(counts)
    unit = {name: (name,) for name in classes}  # the largest row so far around it
    group = dict(unit)

    def size(names: tuple[str, ...]) -> tuple[int, list[str]]:
        return sum(counts[name] for name in names), sorted(names)

    for inside in reversed(nodes_of(classes, hierarchy).values()):
        row = tuple(name for name, is_in in zip(classes, inside, strict=True) if is_in)
        joined = ()
        for one in sorted({unit[name] for name in row}, key=size):
            is_short = bool(joined) and size(joined)[0] < fewest
            if size(one)[0] < fewest or is_short:
                joined += one
        group |= dict.fromkeys(joined, tuple(sorted(joined, key=classes.index)))
        unit |= dict.fromkeys(row, row)
    pooled = tuple(dict.fromkeys(group[name] for name in classes))
    rare = [names for names in pooled if size(names)[0] < fewest]
    if rare or (fewest and len(pooled) < 2):
        found = ", ".join(f"{'+'.join(names)} {size(names)[0]}" for names in pooled)
        raise InputError(
            f"config.selection.min_class_size={fewest}, but the classes merged as far "
            f"as config.hierarchy allows have {found} training objects. At least two "
            f"classes need {fewest} each. Reduce it, exclude a class, or give the "
            "class a parent."
        )
    return tuple("+".join(names) for names in pooled)


def is_merged_from(pooled: tuple[str, ...], classes: tuple[str, ...]) -> bool:
    """Returns whether merge_rare_classes can turn `classes` into `pooled`."""
    parts = [set(one.split("+")) for one in pooled]
    each = [set(one.split("+")) for one in classes]
    return set().union(*parts) == set().union(*each) and all(
        any(one <= part for part in parts) for one in each
    )


def _labels(joined: str, rows: dict) -> list[str]:
    """Returns a label and all labels below it; for "A+B" those of both."""
    found = []
    for name in joined.split("+"):
        found.append(name)
        for member in rows.get(name, ()):
            found += _labels(member, rows)
    return found


def _parents_first(rows: dict) -> list[str]:
    above = {member: name for name, members in rows.items() for member in members}

    def depth(name: str) -> int:
        return 1 + depth(above[name]) if name in above else 0

    return sorted(rows, key=depth)
