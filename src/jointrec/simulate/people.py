"""The people of the shop: what the tables tell of them, and what only their behaviour tells."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int64

from .words import BRANDS, CATEGORIES, STYLES, TYPES

COUNTRIES = ("CN", "US", "DE", "JP", "BR")
DEVICES = ("phone", "desktop", "tablet")
AGES = ("18-24", "25-34", "35-44", "45-59", "60+")

_COUNTRY_SHARES = (0.40, 0.20, 0.15, 0.15, 0.10)
_COUNTRY_BUDGETS = np.array([0.0, 0.25, 0.2, 0.1, -0.35])
_READS_CHINESE = np.array([0.95, 0.08, 0.03, 0.15, 0.02])
_AGE_SHARES = (0.20, 0.30, 0.22, 0.18, 0.10)
_DEVICE_SHARES = np.array(
    [[0.85, 0.1, 0.05], [0.75, 0.2, 0.05], [0.6, 0.3, 0.1], [0.4, 0.45, 0.15], [0.25, 0.5, 0.25]]
)
_KNOWN_BEFORE = 0.6
_SESSIONS_A_DAY = 0.13
_STAYS_DAYS = 110.0
_BRAND_TRAITS = 4


@dataclass(frozen=True, eq=False)
class Person:
    """What the tables tell of each user. Codes are places in the tuples above."""

    country: Int64[np.ndarray, "users"]
    device: Int64[np.ndarray, "users"]
    age: Int64[np.ndarray, "users"]
    arrival: Float64[np.ndarray, "users"]
    """Shop days; below 0 for those who were there before the opening."""


@dataclass(frozen=True, eq=False)
class Habit:
    """How often each user comes and for how long."""

    rate: Float64[np.ndarray, "users"]
    """Sessions per shop day while they stay, before the season."""
    hazard: Float64[np.ndarray, "users"]
    """The chance per shop day to leave for good, as a rate."""
    leaving: Float64[np.ndarray, "users"]
    """The shop day on which they leave for good."""
    chinese: Int64[np.ndarray, "users"]
    """1 for those who mostly type Chinese."""


@dataclass(frozen=True, eq=False)
class Taste:
    """What each user likes. All in logits except `budget`, `thrift` and `bulk`."""

    category: Float64[np.ndarray, "users categories"]
    type: Float64[np.ndarray, "users types"]
    brand: Float64[np.ndarray, "users brands"]
    style: Float64[np.ndarray, "users styles"]
    keen: Float64[np.ndarray, "users"]
    budget: Float64[np.ndarray, "users"]
    """Log of the best price over the usual one."""
    thrift: Float64[np.ndarray, "users"]
    """Logits per whole price taken off."""
    bulk: Float64[np.ndarray, "users"]
    """How many more pieces than usual they take. Around 1."""


@dataclass(frozen=True, eq=False)
class People:
    """All users."""

    person: Person
    habit: Habit
    taste: Taste

    def __len__(self) -> int:
        return len(self.person.country)


def make_people(num: int, days: int, rng: np.random.Generator) -> People:
    """Draws the users of a shop that is open for a number of days."""
    person = _persons(num, days, rng)
    rate = _SESSIONS_A_DAY * rng.gamma(1.5, 1 / 1.5, num)
    hazard = np.exp(rng.normal(-np.log(_STAYS_DAYS), 0.5, num))
    habit = Habit(
        rate=rate,
        hazard=hazard,
        leaving=leave(person.arrival, hazard, 0.0, rng),
        chinese=(rng.random(num) < _READS_CHINESE[person.country]).astype(np.int64),
    )
    return People(person, habit, _tastes(person, rng))


def leave(
    arrival: Float64[np.ndarray, "users"],
    hazard: Float64[np.ndarray, "users"],
    since: float,
    rng: np.random.Generator,
) -> Float64[np.ndarray, "users"]:
    """When users who have not left by a shop day leave. Who has stayed long stays no longer."""
    return np.asarray(np.maximum(arrival, since) + rng.exponential(1.0, len(arrival)) / hazard)


def _persons(num: int, days: int, rng: np.random.Generator) -> Person:
    age = rng.choice(len(AGES), num, p=_AGE_SHARES)
    device = (rng.random((num, 1)) > _DEVICE_SHARES.cumsum(axis=1)[age, :-1]).sum(axis=1)
    before = rng.random(num) < _KNOWN_BEFORE
    arrival = np.where(before, -500.0 * rng.random(num), days * rng.random(num))
    return Person(rng.choice(len(COUNTRIES), num, p=_COUNTRY_SHARES), device, age, arrival)


def _tastes(person: Person, rng: np.random.Generator) -> Taste:
    num = len(person.age)
    by_age = rng.normal(0, 0.7, (len(AGES), len(CATEGORIES)))
    by_country = rng.normal(0, 0.4, (len(COUNTRIES), len(BRANDS)))
    traits = rng.normal(0, 1, (num, _BRAND_TRAITS))
    brands = rng.normal(0, 1, (_BRAND_TRAITS, len(BRANDS)))
    liked = np.einsum("ut,tb->ub", traits, brands) / np.sqrt(_BRAND_TRAITS)
    return Taste(
        category=by_age[person.age] + rng.normal(0, 1.0, (num, len(CATEGORIES))),
        type=rng.normal(0, 0.7, (num, len(TYPES))),
        brand=by_country[person.country] + 0.9 * liked,
        style=rng.normal(0, 0.6, (num, len(STYLES))),
        keen=rng.normal(0, 0.6, num),
        budget=_COUNTRY_BUDGETS[person.country] + rng.normal(0, 0.4, num),
        thrift=np.exp(rng.normal(1.0, 0.5, num)),
        bulk=np.exp(rng.normal(0, 0.4, num)),
    )
