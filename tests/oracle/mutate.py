"""mutate.py - near misses of queries: tokens and bytes cut, doubled, swapped, thrown in. From a seed, so a run can be repeated."""

import re

TOKEN = re.compile(r'''"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|[A-Za-z_:][\w:.]*|\d[\w.]*|[!=<>]=|=~|!~|</|>/|\s+|.''',
                   re.DOTALL)

WORDS = """( ) { } [ ] , : + - * / % ^ == != <= < >= > </ >/ = =~ !~ @ . # " ' ` \\ ; ! & | ~ $ ?
and or unless atan2 sum avg count min max group stddev stdvar topk bottomk count_values quantile limitk limit_ratio offset
smoothed anchored by without on ignoring group_left group_right bool fill fill_left fill_right start end step range max_of min_of
inf nan Inf NaN AND Or BY Offset SUM rate time vector scalar absent info label_replace histogram_quantile clamp sort_by_label
start() end() step() range() up cpu{a="b"} cpu[5m] cpu[1h:1m] {a="b"} {__name__="x"} tenant_id="a" tenant_id="b" tenant_id!="a"
"str" 'x' `raw` "\\x61" "" 0 1 2 -1 1.5 .5 5. 1e3 0x1f 012 089 1_000 1__0 1e 5m 1h30m 1m1h 0s 1ms 10y 5ms2 1d1d 9999999999
offset 5m offset -1h offset (1h) @ 1 @ start() @ end() @ -1 @ Inf [5m] [5m:1m] [1h:] [step()] [:] on(a) by(a) (a,) () a:b :a
__name__ _ é ☺ job le instance "a b" == bool group_left(x)""".split()
WORDS += [" ", "\n", "\t", "\r", "\v", "\f", "\u00a0", "\u2028", "\ufeff", "\ufffd", "# c\n", "offset 5m", "@ end()", "@ 1e400", " bool "]


def tokens(text):
    return TOKEN.findall(text)


def by_token(rng, text, others):
    parts = tokens(text) or [""]
    at, other = rng.randrange(len(parts)), rng.randrange(len(parts))
    chosen = rng.randrange(8)
    if chosen == 0:
        del parts[at]
    elif chosen == 1:
        parts.insert(at, rng.choice(WORDS))
    elif chosen == 2:
        parts[at] = rng.choice(WORDS)
    elif chosen == 3:
        parts[at], parts[other] = parts[other], parts[at]
    elif chosen == 4:
        parts.insert(at, parts[other])
    elif chosen == 5:  # a piece of another query
        more = tokens(rng.choice(others)) or [""]
        begin = rng.randrange(len(more))
        parts[at:at] = more[begin:begin + rng.randrange(1, 8)]
    elif chosen == 6:  # everything so far in parentheses, or in a call
        parts.insert(0, rng.choice(["(", "-(", "sum(", "rate(", "vector(", "absent(", "topk(1, ", "info(", "sum by (a) ("]))
        parts.insert(max(at, 1) + 1, ")")
    else:
        parts[at] = parts[at].swapcase()
    return "".join(parts)


def by_byte(rng, text, others):
    if not text:
        return rng.choice(WORDS)
    at = rng.randrange(len(text))
    return rng.choice([
        lambda: text[:at] + text[at + 1:],
        lambda: text[:at],
        lambda: text[at:],
        lambda: text[:at] + rng.choice(WORDS) + text[at:],
        lambda: text[:at] + rng.choice(" \"()0:[\\]ex{}é") + text[at + 1:],
        lambda: text[:at] + text[max(0, at - 4):],
    ])()


def mutants(rng, seeds, count):
    """count different texts, none of them a seed."""
    made = {}
    known = set(seeds)
    while len(made) < count:
        text = rng.choice(seeds)
        for _ in range(rng.choice([1, 1, 1, 2, 2, 3, 5])):
            text = rng.choice([by_token, by_token, by_token, by_byte])(rng, text, seeds)
        if text not in known and len(text) < 2000:
            made[text] = None
    return list(made)


BYTES = [b"\xff", b"\x80", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\xaf", b"\xef\xbf\xbd", b"\xef\xbb\xbf", b"\x00", b"\x7f",
         b"\x1b", b"\x0b"]


def with_bytes(rng, seeds, count):
    """Seeds with bytes thrown in that are no text, or no text that a query is written in."""
    made = {}
    while len(made) < count:
        raw = rng.choice(seeds).encode()
        for _ in range(rng.choice([1, 1, 2])):
            at = rng.randrange(len(raw) + 1)
            raw = raw[:at] + rng.choice(BYTES) + raw[at + rng.choice([0, 0, 1]):]
        made[raw] = None
    return list(made)
