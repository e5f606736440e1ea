"""generate.py - PromQL from its grammar, mostly valid, with every odd spelling that the language allows. From a seed."""

SPACES = ["", "", "", " ", " ", "  ", "\n", "\t", "\r\n", " # note\n"]

RANGE_CALLS = ["rate", "increase", "delta", "irate", "idelta", "changes", "resets", "deriv", "avg_over_time", "sum_over_time",
               "count_over_time", "last_over_time", "present_over_time", "stddev_over_time", "absent_over_time", "min_over_time"]
VECTOR_CALLS = ["abs", "ceil", "exp", "ln", "sgn", "sort", "sort_desc", "timestamp", "absent", "sqrt", "deg", "histogram_sum",
                "histogram_count"]
OPTIONAL_CALLS = ["hour", "minute", "month", "year", "day_of_week", "days_in_month"]
AGGREGATIONS = ["sum", "avg", "count", "min", "max", "group", "stddev", "stdvar"]
ARITHMETIC = ["+", "-", "*", "/", "%", "^", "atan2"]
COMPARISONS = ["==", "!=", ">", "<", ">=", "<="]
SETS = ["and", "or", "unless"]


def is_word(c):
    return c.isalnum() or c in "_:.\"'`"


class Generator:
    # what queries are about; a subclass may say otherwise
    NAMES = ["up", "cpu", "mem", "http_requests_total", "job:rate:sum", ":x", "_a", "sum", "by", "offset", "or", "start", "max_of", "fill",
             "step", "group", "anchored", "without", "SUM", "Offset"]
    LABELS = ["job", "instance", "le", "tenant_id", "by", "on", "bool", "offset", "__name__", "_x9", "sum", "end", "Without"]
    VALUES = ['"a"', "'b'", "`c d`", '"tenant\\x5fid"', '"\\u00e4\\n"', '""', '"\\""', "'\"'", '"☺"', '"\\xff"', '"\\000"', "`\\`"]
    REGEXPS = ['"a|b"', '".*"', '".+"', '"a.*"', '"(?i)x"', '""', '"a|"', "'[a-z]{2}'", "`\\d+`", '"^$"', '"\\\\.x"', '"("', '"a**"']
    NUMBERS = ["0", "1", "2.5", ".5", "5.", "1e3", "1E-3", "0x2A", "012", "089", "2_500", "Inf", "nan", "NaN", "inf", "-1", "+2", "5m", "1h30m",
               "1d", "1e400", "100000000000000000000", "0.1", "1ms"]
    DURATIONS = ["5m", "1h30m", "1d", "90s", "1ms", "2w", "1y", "300", "0x10", "1.5", "1e3", "10ms", "1h0m", "0s", "05m", "1_0"]
    TIMES = ["1700000000", "1.7e9", "-5", "0x10", "5m", "1700000000.123456", "-1.5", "start()", "end ( )", "END()"]
    QUOTED_NAMES = ['"up"', '"disk space"', "'größe'"]
    QUOTED_LABELS = ['"a b"', '"tenant_id"', "'ü'", '"le"']
    EXPERIMENTAL_AGGREGATIONS = ["limitk", "limit_ratio"]

    def __init__(self, rng, features=()):
        self.rng, self.features = rng, features

    def pick(self, *choices):
        return self.rng.choice(choices)

    def chance(self, p):
        return self.rng.random() < p

    def join(self, *parts):
        """Words need a space between them; signs may have one, or a comment."""
        text = ""
        for part in parts:
            space = self.rng.choice(SPACES)
            if text and part and not space and is_word(text[-1]) and is_word(part[0]):
                space = " "
            text += space + part
        return text

    def case(self, keyword):
        return self.pick(keyword, keyword, keyword, keyword.upper(), keyword.capitalize())

    def query(self):
        return self.pick(self.vector, self.vector, self.vector, self.scalar, self.matrix)(0)

    # selectors

    def matcher(self):
        name = self.rng.choice(self.LABELS) if self.chance(0.85) else self.rng.choice(self.QUOTED_LABELS)
        op = self.pick("=", "=", "!=", "=~", "!~")
        return self.join(name, op, self.rng.choice(self.VALUES if op in ("=", "!=") else self.REGEXPS))

    def braces(self, least=0):
        parts = [self.matcher() for _ in range(self.rng.randrange(least, 4))]
        if least and self.chance(0.3):
            parts.insert(0, self.rng.choice(self.QUOTED_NAMES))
        return self.join("{", self.join(*self.commas(parts)), self.pick(",", "") if parts else "", "}")

    def commas(self, parts):
        return [piece for i, part in enumerate(parts) for piece in ([",", part] if i else [part])]

    def selector(self):
        if self.chance(0.15):
            return self.braces(1)
        return self.join(self.rng.choice(self.NAMES), self.braces() if self.chance(0.5) else "")

    def duration(self, depth=0):
        if depth > 2 or self.chance(0.8):
            return self.rng.choice(self.DURATIONS)
        return self.pick(
            lambda: self.join("(", self.duration(depth + 1), self.pick("+", "-", "*", "/", "%", "^"), self.duration(depth + 1), ")"),
            lambda: self.join(self.duration(depth + 1), self.pick("+", "-", "*", "/"), self.duration(depth + 1)),
            lambda: self.join(self.case("step"), "(", ")"),
            lambda: self.join(self.case("range"), "(", ")"),
            lambda: self.join(self.pick("max_of", "min_of"), "(", self.duration(depth + 1), ",", self.duration(depth + 1), ")"),
            lambda: self.join("-", self.duration(depth + 1)),
            lambda: self.join("(", self.duration(depth + 1), ")"),
        )()

    def offset(self):
        return self.join(self.case("offset"), self.pick("", "", "-", "+"), self.duration(1))

    def at(self):
        return self.join("@", self.rng.choice(self.TIMES))

    def modifiers(self, more=()):
        chosen = [m for m in (self.offset(), self.at(), *more) if self.chance(0.25)]
        self.rng.shuffle(chosen)
        return self.join(*chosen)

    def matrix(self, depth):
        if depth > 3 or self.chance(0.6):
            extended = [self.pick("anchored", "smoothed", "Smoothed")] if self.chance(0.15) else []
            return self.join(self.selector(), "[", self.duration(), "]", self.modifiers(extended))
        inner = self.pick(self.selector(), self.join("(", self.vector(depth + 1), ")"), self.call(depth + 1))
        return self.join(inner, "[", self.duration(), ":", self.duration() if self.chance(0.6) else "", "]", self.modifiers())

    # expressions

    def scalar(self, depth):
        if depth > 3 or self.chance(0.6):
            return self.rng.choice(self.NUMBERS)
        return self.pick(
            lambda: self.join("scalar", "(", self.vector(depth + 1), ")"),
            lambda: self.join(self.pick("time", "pi"), "(", ")"),
            lambda: self.join(self.scalar(depth + 1), self.rng.choice(ARITHMETIC), self.scalar(depth + 1)),
            lambda: self.join(self.scalar(depth + 1), self.rng.choice(COMPARISONS), self.case("bool"), self.scalar(depth + 1)),
            lambda: self.join("(", self.scalar(depth + 1), ")"),
            lambda: self.join(self.pick("-", "+"), self.scalar(depth + 1)),
            lambda: self.join(self.pick("step", "range"), "(", ")"),
            lambda: self.join(self.pick("max_of", "min_of"), "(", self.scalar(depth + 1), ",", self.scalar(depth + 1), ")"),
        )()

    def names(self):
        chosen = [self.pick(*self.LABELS, '"a b"', "a:b", "'le'") for _ in range(self.rng.randrange(0, 4))]
        return self.join("(", self.join(*self.commas(chosen)), self.pick(",", "") if chosen else "", ")")

    def grouping(self):
        return self.join(self.case(self.pick("by", "without")), self.names())

    def aggregation(self, depth):
        name, first = self.case(self.rng.choice(AGGREGATIONS)), []
        experimental = self.EXPERIMENTAL_AGGREGATIONS if "exp" in self.features else []
        if self.chance(0.3):
            name = self.pick("topk", "bottomk", "quantile", "count_values", *experimental)
            first = [self.pick('"x"', "'le'") if name == "count_values" else self.scalar(depth + 1)]
        inside = self.join("(", self.join(*self.commas(first + [self.vector(depth + 1)])), ")")
        where = self.pick("none", "before", "after")
        return self.join(name, *{"none": [inside], "before": [self.grouping(), inside], "after": [inside, self.grouping()]}[where])

    def call(self, depth):
        return self.pick(
            lambda: self.join(self.rng.choice(RANGE_CALLS), "(", self.matrix(depth + 1), ")"),
            lambda: self.join(self.rng.choice(VECTOR_CALLS), "(", self.vector(depth + 1), ")"),
            lambda: self.join(self.rng.choice(OPTIONAL_CALLS), "(", self.vector(depth + 1) if self.chance(0.5) else "", ")"),
            lambda: self.join("vector", "(", self.scalar(depth + 1), ")"),
            lambda: self.join("clamp", "(", self.vector(depth + 1), ",", self.scalar(depth + 1), ",", self.scalar(depth + 1), ")"),
            lambda: self.join("round", "(", self.vector(depth + 1), *(["," + self.scalar(depth + 1)] if self.chance(0.5) else []), ")"),
            lambda: self.join("histogram_quantile", "(", self.scalar(depth + 1), ",", self.vector(depth + 1), ")"),
            lambda: self.join("quantile_over_time", "(", self.scalar(depth + 1), ",", self.matrix(depth + 1), ")"),
            lambda: self.join("predict_linear", "(", self.matrix(depth + 1), ",", self.scalar(depth + 1), ")"),
            lambda: self.join("label_replace", "(", self.vector(depth + 1), ', "d", "$1", "s", "(.*)")'),
            lambda: self.join("label_join", "(", self.vector(depth + 1), *[', "x"'] * self.rng.randrange(2, 5), ")"),
            *([lambda: self.join("sort_by_label", "(", self.vector(depth + 1), ', "job")'),
               lambda: self.join("info", "(", self.vector(depth + 1), ",", self.pick(self.braces(1), '{a="b"}', '{a=~".*"}'), ")")]
              if "exp" in self.features else []),
        )()

    def binary(self, depth):
        kind = self.pick(ARITHMETIC, COMPARISONS, SETS)
        modifiers = [self.case("bool")] if kind is COMPARISONS and self.chance(0.3) else []
        if self.chance(0.3):
            modifiers.append(self.join(self.case(self.pick("on", "ignoring")), self.names()))
            if kind is not SETS and self.chance(0.4):
                modifiers.append(self.join(self.case(self.pick("group_left", "group_right")), self.names() if self.chance(0.6) else ""))
        if "fill" in self.features and kind is not SETS and self.chance(0.3):
            modifiers.append(self.pick(["fill(0)"], ["fill_left(1)"], ["fill_right ( -2 )", "fill_left(NaN)"])[0])
        right = self.scalar(depth + 1) if kind is not SETS and not modifiers and self.chance(0.3) else self.vector(depth + 1)
        return self.join(self.vector(depth + 1), self.case(self.rng.choice(kind)), *modifiers, right)

    def vector(self, depth):
        if depth > 4 or self.chance(0.3):
            return self.join(self.selector(), self.modifiers(["smoothed"] if self.chance(0.1) else []))
        return self.pick(
            lambda: self.aggregation(depth), lambda: self.call(depth), lambda: self.binary(depth), lambda: self.binary(depth),
            lambda: self.join("(", self.vector(depth + 1), ")"),
            lambda: self.join(self.pick("-", "+"), self.vector(depth + 1)),
        )()


def generated(generator, count):
    made = {}
    while len(made) < count:
        text = generator.query()
        if len(text) < 4000:
            made[text] = None
    return list(made)
