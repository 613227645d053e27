"""The schemas that shops already have: their field names, and the names of their events.

Google Analytics 4 (BigQuery export, flattened): https://support.google.com/analytics/answer/7029846
Amazon Personalize: https://docs.aws.amazon.com/personalize/latest/dg/how-it-works-dataset-schema.html
Gorse: https://gorse.io/docs/concepts/data-source.html
Google Retail (Vertex AI Search for commerce): https://cloud.google.com/retail/docs/user-events
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from .look import Seen
from .names import snake

Holds = Literal["event", "user", "item"]


@dataclass(frozen=True)
class Shape:
    """A table of a schema.

    :param holds: What its rows are.
    :param marks: Of each group one column must be there for a table to be it.
    :param roles: For each role the names of the columns that may play it, the best first.
    """

    holds: Holds
    marks: tuple[tuple[str, ...], ...]
    roles: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Schema:
    """What one product calls its fields. Names are compared in small letters, with ``_`` between.

    :param exact: Whether names are compared as they are spelled.
    """

    name: str
    shapes: tuple[Shape, ...]
    exact: bool = False


@dataclass(frozen=True)
class Known:
    """A table that was recognised.

    :param roles: For each role the column that plays it, as the table spells it.
    """

    schema: str
    holds: Holds
    roles: Mapping[str, str]


GA4 = Schema(
    "Google Analytics 4",
    (
        Shape(
            "event",
            (("event_name",), ("event_timestamp",), ("user_pseudo_id", "user_id")),
            {
                "kind": ("event_name",),
                "time": ("event_timestamp",),
                "user": ("user_pseudo_id", "user_id"),
                "item": ("item_id", "items_item_id", "item_name", "items_item_name"),
                "list": ("ga_session_id", "session_id", "item_list_id"),
                "quantity": ("quantity", "items_quantity"),
                "price": ("price", "items_price"),
                "value": (
                    "item_revenue", "items_item_revenue", "ecommerce_purchase_revenue",
                    "purchase_revenue", "event_value_in_usd", "value",
                ),
            },
        ),
        Shape("user", (("user_pseudo_id",), ("user_first_touch_timestamp",)),
              {"key": ("user_pseudo_id",)}),
        Shape("item", (("item_id",), ("item_name",), ("item_category", "item_brand")),
              {"key": ("item_id",)}),
    ),
)  # fmt: skip

PERSONALIZE = Schema(
    "Amazon Personalize",
    (
        Shape(
            "event",
            (("USER_ID",), ("ITEM_ID",), ("TIMESTAMP",)),
            {
                "user": ("USER_ID",),
                "item": ("ITEM_ID",),
                "time": ("TIMESTAMP",),
                "kind": ("EVENT_TYPE",),
                "value": ("EVENT_VALUE",),
                "list": ("RECOMMENDATION_ID",),
            },
        ),
        Shape("user", (("USER_ID",),), {"key": ("USER_ID",)}),
        Shape("item", (("ITEM_ID",),), {"key": ("ITEM_ID",)}),
    ),
    exact=True,
)

GORSE = Schema(
    "Gorse",
    (
        Shape(
            "event",
            (("feedback_type",), ("user_id",), ("item_id",)),
            {
                "user": ("user_id",),
                "item": ("item_id",),
                "time": ("time_stamp", "timestamp"),
                "kind": ("feedback_type",),
                "value": ("value",),
            },
        ),
        Shape("item", (("item_id",), ("is_hidden", "categories")), {"key": ("item_id",)}),
        Shape("user", (("user_id",), ("labels", "subscribe")), {"key": ("user_id",)}),
    ),
)

RETAIL = Schema(
    "Google Retail",
    (
        Shape(
            "event",
            (("event_type",), ("visitor_id",), ("event_time",)),
            {
                "user": ("visitor_id", "user_info_user_id"),
                "item": ("product_details_product_id", "product_details_id", "product_id"),
                "time": ("event_time",),
                "kind": ("event_type",),
                "quantity": ("product_details_quantity", "quantity"),
                "value": ("purchase_transaction_revenue", "revenue"),
                "price": ("product_details_product_price_info_price", "price"),
                "list": ("attribution_token", "session_id"),
            },
        ),
        Shape(
            "item",
            (("id", "product_id"), ("title",), (
                "categories", "brands", "price_info_price", "primary_product_id", "availability",
            )),
            {"key": ("id", "product_id")},
        ),
    ),
)  # fmt: skip

SCHEMAS = (GA4, PERSONALIZE, GORSE, RETAIL)

STAGES: Mapping[str, tuple[str, ...]] = {
    "visit": (
        "home-page-view", "category-page-view", "page_view", "session_start", "first_visit",
        "screen_view", "visit", "shopping-cart-page-view", "view_cart",
    ),
    "search": ("search", "view_search_results"),
    "shown": ("view_item_list", "view_promotion", "impression", "exposure", "shown", "show"),
    "click": ("select_item", "select_promotion", "select_content", "click"),
    "view": ("view_item", "detail-page-view", "view", "read", "pv", "detail", "watch", "play"),
    "like": (
        "add_to_wishlist", "favourite", "favorite", "fav", "like", "star", "save", "collect",
        "bookmark",
    ),
    "cart": ("add_to_cart", "add-to-cart", "cart"),
    "checkout": ("begin_checkout", "add_shipping_info", "add_payment_info", "checkout"),
    "buy": (
        "purchase", "purchase-complete", "buy", "order", "transaction", "sale", "bought",
        "purchased", "ordered", "paid",
    ),
    "return": ("refund", "return", "returned", "cancel", "remove_from_cart"),
}  # fmt: skip
"""What events are called, stage by stage in the order in which shoppers come to them."""

_PARTS: Mapping[str, tuple[str, ...]] = {
    "return": ("refund", "return", "cancel", "remove"),
    "buy": ("purchas", "order", "buy", "bought", "transaction", "invoice", "sale"),
    "checkout": ("checkout",),
    "cart": ("cart", "basket"),
    "like": ("favo", "wish", "like"),
    "click": ("click",),
    "shown": ("impression", "exposure"),
    "view": ("view",),
}
"""What is enough of a name to tell the stage, where it is none of those above."""


def stage_of(event: str) -> str | None:
    """The stage of an event, by its name; None where the name says nothing.

    >>> [stage_of(name) for name in ("AddToCart", "purchase-complete", "Product Viewed", "scroll")]
    ['cart', 'buy', 'view', None]
    """
    letters = snake(event).replace("_", "")
    for stage, names in STAGES.items():
        if letters in [snake(name).replace("_", "") for name in names]:
            return stage
    return next((s for s, parts in _PARTS.items() if any(part in letters for part in parts)), None)


def order_of(event: str) -> int:
    """Where an event stands among the stages; those of no stage come last."""
    stage = stage_of(event)
    return len(STAGES) if stage is None else list(STAGES).index(stage)


def recognise(tables: Sequence[Seen]) -> dict[str, Known]:
    """The tables that are of a known schema, by source. Only one schema is taken: that of events.

    >>> recognise([])
    {}
    """
    for schema in SCHEMAS:
        found = {t.source: known for t in tables if (known := _known(schema, t)) is not None}
        if any(known.holds == "event" for known in found.values()):
            return found
    return {}


def _known(schema: Schema, table: Seen) -> Known | None:
    spelled = {(name if schema.exact else snake(name)): name for name in table.names}
    for shape in schema.shapes:
        if all(any(name in spelled for name in group) for group in shape.marks):
            roles = {
                role: spelled[next(name for name in names if name in spelled)]
                for role, names in shape.roles.items()
                if any(name in spelled for name in names)
            }
            if shape.holds == "event" or table.column(roles["key"]).unique:
                return Known(schema.name, shape.holds, roles)
    return None
