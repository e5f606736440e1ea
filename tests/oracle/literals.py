"""literals.py - numbers, durations and strings of every form, right and wrong, each where the language takes one. From a seed."""

UNITS = ["y", "w", "d", "h", "m", "s", "ms"]
PIECES = ["\\n", "\\t", "\\\\", '\\"', "\\'", "\\a", "\\b", "\\f", "\\v", "\\r", "\\x", "\\x4", "\\x41", "\\xff", "\\xZZ", "\\101", "\\400", "\\377",
          "\\8", "\\08", "\\u00e4", "\\u00E", "\\uD800", "\\uDFFF", "\\ud83d\\ude00", "\\U0001F600", "\\U00110000", "\\U0010FFFF", "\\U1",
          "\\q", "\\ ", "\\0", "\\`", "\\$", "\\u0000", "\\x00", "\\", "a", "tenant_id", "ä", "☺", "\n", "\r", "\t", "'", '"', "`", "{", "}",
          "#", "=", "\ufffd", "\u2028", " "]


def digits(rng, most, least=0):
    return "".join(rng.choice("0123456789" * 4 + "_") for _ in range(rng.randrange(least, most)))


def number(rng):
    return rng.choice([
        lambda: digits(rng, 25, 1),
        lambda: digits(rng, 22) + "." + digits(rng, 22),
        lambda: digits(rng, 18, 1) + rng.choice("eE") + rng.choice(["", "+", "-"]) + digits(rng, 4),
        lambda: digits(rng, 10) + "." + digits(rng, 20) + "e" + rng.choice(["", "+", "-"]) + str(rng.randrange(330)),
        lambda: rng.choice(["0x", "0X", "0b", "0o", "0", "00"]) + "".join(rng.choice("0123456789abcdefABCDEF_.pP+-") for _ in range(9)),
        lambda: "".join(str(rng.randrange(10 ** rng.randrange(1, 12))) + u for u in UNITS if rng.random() < 0.4),
        lambda: "".join(str(rng.randrange(400)) + rng.choice(UNITS) for _ in range(rng.randrange(1, 4))),
        lambda: rng.choice(["Inf", "NaN", "inf", "nAn", "iNf"]) + rng.choice(["", "x", "1", "_"]),
    ])()


def string(rng):
    quote = rng.choice("\"'`")
    return quote + "".join(rng.choice(PIECES) for _ in range(rng.randrange(6))) + rng.choice([quote] * 19 + [""])


# N stands for a number, S for a string
PLACES = """N | -N | x[N] | x[N:N] | x offset N | x offset -N | x @ N | x @ -N | x[N+N] | x + N | a + fill(N) b | topk(N, x) | x[N * N : -N]
x offset -(-N) | S | x{a=S} | x{S="1"} | {S} | x{a=~S} | sum by (S) (x) | a + on(S) b | label_replace(x, S, S, S, S) | count_values(S, x)
a * on(a) group_left(S, S) b | x{S!~S} | info(x, {a=S})""".replace("\n", "|").split("|")


def literals(rng, count):
    made = {}
    while len(made) < count:
        place = rng.choice(PLACES).strip()
        made["".join(number(rng) if c == "N" else string(rng) if c == "S" else c for c in place)] = None
    return list(made)
