"""What the names of tables and columns say of them, however they are spelled."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable
from itertools import chain, count

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_KEY_END = re.compile(r"_?(u?id|key|code|name|sku|uuid|no|number|pseudo_id)$")
ID = re.compile(r"(^|_)(id|key|code|sku|uuid|guid|no|number)$|(?<!pa)(?<!val)id$")
PERSON = re.compile(r"user|customer|member|visitor|client|buyer|person|shopper|account|^uid$")
ITEM = re.compile(
    r"(^|_)(item|product|sku|stock|article|asin|goods|material|isbn|upc|ean|movie|brand_id"
    r"|ad_id|creative_id)"
)
TOGETHER = re.compile(r"session|request|(^|_)list(_|$)|impression_list|search_id")
PROPENSITY = re.compile(r"(^|_)(propensity|pscore|action_prob)")
ORDER = re.compile(r"invoice|order|transaction|basket|receipt|bill")
TYPE = re.compile(r"(^|_)(type|event|action|behavio[u]?r|kind)(_|$)|event_name")
VALUE = re.compile(r"revenue|amount|value|total|spend|gmv|sales")
PLAN = re.compile(
    r"promo|campaign|holiday|calendar|closure|offer|discount|out_of_stock|stock_?out|schedule|plan"
)
"""What is planned: its rows may be known before their time."""
QUERY = re.compile(r"(^|_)(query|search_term|search_phrase|keywords?)(_id|_key)?$")
QUANTITY = re.compile(r"quantity|qty|units|count")
PRICE = re.compile(r"(^|_)price(_|$)|(^|_)(unit_)?(price|cost)$")
OUTCOME = re.compile(
    r"label|target|outcome|churn|left|loyal|clicked|bought|purchased|converted|returned|default"
    r"|response|subscribed|conversion"
)
DONE = re.compile(r"(^|_)(click|like|fav|favou?rite|cart|order|buy|purchase)$")
"""What a shopper did, where a column says whether so."""
GRADE = re.compile(
    r"(^|_)(grade|rating|stars?|score|relevance|relevancy|satisfaction|nps|fit|overall)(_|$)"
)
"""What is judged in grades."""
REASON = re.compile(r"(^|_)(reason|result|verdict|decision|resolution)$")
"""What became of something, in words."""
SEVERAL = re.compile(
    r"(^|_)(reasons|tags|topics|labels|issues|defects|problems|complaints|symptoms)$"
)
"""What became of something, several words at once."""
TOOK = re.compile(
    r"(^|_)(duration|delay|dwell|lead_time|delivery_time)(_|$)|(^|_)(days|hours|minutes)_(to|until)_"
    r"|(delivery|shipping|lead|response|waiting)_(days|hours|minutes|seconds|time)$"
)
"""How long something took."""
LASTED = re.compile(
    r"second|minute|duration|dwell|watch|stay|played|scroll|elapsed|time_(spent|on)|view_time"
)
"""How long, or how far, a shopper was busy with something."""
PAST = re.compile(r"(^|_)(since|ago|last|prior|previous|average|avg|mean)(_|$)")
"""What was known before."""
TIME = re.compile(r"(^|_)(time|timestamp|date|datetime|at|on|ts|day)$|^(time|date)(_|$)")
_NUMBERED = re.compile(r"^(.*?)_*\d+$")
_MERE_KEYS = ("stock", "sku", "asin", "article", "upc", "ean", "isbn", "")
"""What is left of the key of an item where it says no more than that it is one."""


def snake(name: str) -> str:
    """A name as words in small letters with ``_`` between.

    >>> [snake(name) for name in ("CustomerID", "Customer ID", "priceInfo.price", "用户")]
    ['customer_id', 'customer_id', 'price_info_price', '用户']
    """
    return re.sub(r"\W+", "_", _CAMEL.sub("_", name)).lower().strip("_")


def singular(name: str) -> str:
    """The name of one of the things that a table holds.

    >>> [singular(name) for name in ("users", "queries", "views", "news", "sales_weekly")]
    ['user', 'query', 'view', 'news', 'sales_weekly']
    """
    name = snake(name)
    if name.endswith("ies"):
        return name[:-3] + "y"
    return name[:-1] if name.endswith("s") and not name.endswith(("ss", "news", "us")) else name


def thing_name(key: str, table: str) -> str:
    """What to call a thing: by its key, else by its table.

    >>> thing_name("user_id", "customers"), thing_name("id", "store"), thing_name("StockCode", "x")
    ('user', 'store', 'item')
    >>> thing_name("uid", "log")
    'user'
    """
    name = _KEY_END.sub("", snake(key)).strip("_")
    if name in _MERE_KEYS and ITEM.search(snake(key)):
        return "item"
    if not name and PERSON.search(snake(key)):
        return "user"
    return name if len(name) > 1 else table


def apart(name: str, taken: Container[str]) -> str:
    """A name that nothing has yet: with a number behind it where it must have one.

    >>> apart("view", ["click"]), apart("view", ["view", "view_2"])
    ('view', 'view_3')
    """
    others = (f"{name}_{number}" for number in count(2))
    return next(one for one in chain([name], others) if one not in taken)


def numbered(names: Iterable[str], fewest: int = 3) -> dict[str, list[str]]:
    """Columns that differ by a number at their end, ``fewest`` or more of a stem: one thing often.

    >>> numbered(["W0", "W1", "W2", "code", "size_1"])
    {'W': ['W0', 'W1', 'W2']}
    """
    found: dict[str, list[str]] = {}
    for name in names:
        like = _NUMBERED.match(name)
        if like:
            found.setdefault(like[1], []).append(name)
    return {stem: own for stem, own in found.items() if len(own) >= fewest}
