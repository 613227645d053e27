"""What is known of tastes, habits and quality from what was seen of a simulated shop.

Used by ``reachable.py``, which says what for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits, log_softmax, logsigmoid

from jointrec.simulate import Shop
from jointrec.simulate import chances as rules
from jointrec.simulate.clock import DAYS_A_WEEK
from jointrec.simulate.people import People, Taste
from jointrec.simulate.words import TYPES_A_CATEGORY
from jointrec.simulate.world import World

DRAWS = 4
"""How many worlds are drawn from what is known."""
RATES, HAZARDS = 48, 16
"""The grid of visits a day and of leaving, in equal shares of the prior."""

SIZES = {
    "category": 8,
    "type": 32,
    "traits": 4,
    "style": 8,
    "keen": 1,
    "budget": 1,
    "thrift": 1,
    "bulk": 1,
}
"""What each user has of their own, in standard normal numbers."""


@dataclass(eq=False)
class Common:
    """What people have in common, as the truth has it."""

    category: Tensor
    brand: Tensor
    budget: Tensor
    loadings: Tensor

    @classmethod
    def of(cls, world: World) -> Common:
        person, taste = world.people.person, world.people.taste
        category, brand = _means(taste.category, person.age), _means(taste.brand, person.country)
        own = taste.brand - brand
        _, sizes, directions = np.linalg.svd(own, full_matrices=False)
        loadings = directions[:4] * sizes[:4, None] / np.sqrt(len(own))
        budget = _means(taste.budget[:, None], person.country)[:, 0]
        return cls(
            *(torch.tensor(x, dtype=torch.float32) for x in (category, brand, budget, loadings))
        )


def _means(values: np.ndarray, groups: np.ndarray) -> np.ndarray:
    sums = np.zeros((groups.max() + 1, values.shape[1]))
    np.add.at(sums, groups, values)
    return (sums / np.maximum(np.bincount(groups), 1)[:, None])[groups]


@dataclass(eq=False)
class Posterior:
    """A normal posterior of independent numbers: of each user's, and of each item's quality."""

    common: Common
    users: Tensor
    spread: Tensor
    quality: Tensor
    quality_spread: Tensor

    @classmethod
    def prior(cls, world: World) -> Posterior:
        people, goods, width = len(world.people), len(world.goods), sum(SIZES.values())
        zeros = (
            torch.zeros(people, width),
            torch.zeros(people, width),
            torch.zeros(goods),
            torch.zeros(goods),
        )
        return cls(Common.of(world), *zeros)

    def learned(self, seen: Seen, steps: int, seed: int) -> Posterior:
        """The posterior by all that was seen, found from this one."""
        torch.manual_seed(seed)
        own = [
            x.clone().requires_grad_()
            for x in (self.users, self.spread, self.quality, self.quality_spread)
        ]
        optimizer = torch.optim.Adam(own, lr=0.05)
        falling = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=0.003)
        for _ in range(steps):
            users, spread, quality, quality_spread = own
            drawn = users + spread.exp() * torch.randn_like(users)
            good = quality + quality_spread.exp() * torch.randn_like(quality)
            lost = seen.surprise(taste_of(drawn, self.common), 0.8 * good)
            lost = lost + _divergence(users, spread) + _divergence(quality, quality_spread)
            optimizer.zero_grad()
            lost.backward()
            optimizer.step()
            falling.step()
        return Posterior(self.common, *(x.detach() for x in own))

    def worlds(
        self, world: World, seed: int, users: np.ndarray | None = None, draws: int = DRAWS
    ) -> Iterator[World]:
        """Worlds as they may be, with all people or with some of them."""
        users = np.arange(len(world.people)) if users is None else users
        for draw in range(draws):
            chance = torch.Generator().manual_seed(1000 * seed + draw)
            mean, spread = self.users[users], self.spread[users].exp()
            drawn = mean + spread * torch.randn(mean.shape, generator=chance)
            good = self.quality + self.quality_spread.exp() * torch.randn(
                self.quality.shape, generator=chance
            )
            common = replace(
                self.common,
                **{n: getattr(self.common, n)[users] for n in ("category", "brand", "budget")},
            )
            taste = {name: x.double().numpy() for name, x in taste_of(drawn, common).items()}
            people, goods = world.people, replace(world.goods, quality=0.8 * good.double().numpy())
            some = People(
                rows_of(people.person, users), rows_of(people.habit, users), Taste(**taste)
            )
            yield replace(world, people=some, goods=goods)


def taste_of(drawn: Tensor, common: Common) -> dict[str, Tensor]:
    """Tastes from standard normal numbers, as people are made."""
    own = dict(zip(SIZES, drawn.split(list(SIZES.values()), dim=1), strict=True))
    return {
        "category": common.category + own["category"],
        "type": 0.7 * own["type"],
        "brand": common.brand + own["traits"] @ common.loadings,
        "style": 0.6 * own["style"],
        "keen": 0.6 * own["keen"][:, 0],
        "budget": common.budget + 0.4 * own["budget"][:, 0],
        "thrift": torch.exp(1 + 0.5 * own["thrift"][:, 0]),
        "bulk": torch.exp(0.4 * own["bulk"][:, 0]),
    }


def _divergence(mean: Tensor, spread: Tensor) -> Tensor:
    """From the standard normal prior, in nats."""
    return (0.5 * (mean**2 + torch.exp(2 * spread) - 1) - spread).sum()


@dataclass(eq=False)
class Seen:
    """What was seen before a day, as tensors."""

    world: World
    session: dict[str, Tensor]
    row: dict[str, Tensor]

    @classmethod
    def of(cls, shop: Shop, until: int) -> Seen:
        world, course = shop._world, shop._course
        first = int(np.searchsorted(course.sessions.time, until))
        rows = np.flatnonzero(course.shown.session < first)
        sessions, shown = course.sessions, rows_of(course.shown, rows)
        need = world.needs.queries.need[sessions.query]
        common = np.full(SIZES["type"], -np.inf)
        np.logaddexp.at(common, world.needs.type, world.needs.common)
        session = {
            "user": sessions.user[:first],
            "type": world.needs.type[need[:first]],
            "season": world.calendar.season[sessions.time[:first].astype(int)],
            "common": common,
        }
        at, item = shown.session, shown.item
        week = sessions.time[at].astype(int) // DAYS_A_WEEK
        label, acts = world.goods.label, course.acts
        row = {
            "user": sessions.user[at], "item": item,
            "type": label.type[item], "brand": label.brand[item],
            "style": label.styles / label.styles.sum(axis=1, keepdims=True),
            "seen": np.log(rules.seen(shown.position, sessions.page[at], sessions.device[at])),
            "asked": rules.RELEVANCE * world.needs.relevance[need[at], item],
            "discount": world.calendar.discount[week, item], "dear": world.goods.dear[item],
            "clicked": acts.clicked[rows], "favourited": acts.favourited[rows],
            "carted": acts.carted[rows], "quantity": acts.quantity[rows],
            "returned": acts.returned[rows], "rating": world.goods.rating,
            "returns": rules._RETURNS[label.category[item]],
            "extra": rules._EXTRA[label.category[item]],
        }  # fmt: skip
        return cls(world, _tensors(session), _tensors(row))

    def surprise(self, taste: dict[str, Tensor], quality: Tensor) -> Tensor:
        """−log of how likely all of it was, in nats, but for what does not depend on people."""
        s, r = self.session, self.row
        group = torch.arange(SIZES["type"]) // TYPES_A_CATEGORY
        wanted = (0.9 * taste["category"])[:, group] + 0.5 * taste["type"]
        logits = wanted[s["user"]] + s["season"][:, group] + s["common"]
        lost = -log_softmax(logits, dim=1).gather(1, s["type"][:, None]).sum()
        user, good = r["user"], quality[r["item"]]
        flat = lambda name, at: taste[name].flatten()[user * taste[name].shape[1] + r[at]]  # noqa: E731
        kind, brand = flat("type", "type"), flat("brand", "brand")
        style = (taste["style"][user] * r["style"][r["item"]]).sum(dim=1)
        over = r["dear"] - taste["budget"][user]
        saved, keen = taste["thrift"][user] * r["discount"], taste["keen"][user]
        liking = (
            rules._LIKING
            + 0.7 * kind
            + 0.8 * brand
            + 0.6 * style
            + 0.9 * good
            - 0.8 * over**2
            + saved
        )
        click = r["seen"] + logsigmoid(liking + r["asked"])
        lost = lost - torch.where(r["clicked"], click, torch.log1p(-click.exp())).sum()
        some = torch.nonzero(r["clicked"])[:, 0]
        lost = lost + _bce(
            rules._FAVOURITE + 0.8 * brand + 0.8 * style + 0.5 * kind, r["favourited"], some
        )
        cart = rules._CART + keen + 0.7 * good - 0.6 * over + 0.5 * saved + 0.3 * brand
        lost = lost + _bce(cart, r["carted"], some)
        bought, some = r["quantity"] > 0, torch.nonzero(r["carted"])[:, 0]
        lost = lost + _bce(
            rules._BUY + 0.8 * keen + 0.5 * good - 0.8 * over + 0.6 * saved, bought, some
        )
        some = torch.nonzero(bought)[:, 0]
        lost = lost + _bce(
            r["returns"] - 0.9 * good + 0.5 * over - 0.3 * brand, r["returned"], some
        )
        extra = (r["extra"] * taste["bulk"][user])[some]
        lost = lost + (extra - (r["quantity"][some] - 1) * extra.log()).sum()
        rated = ~torch.isnan(r["rating"])
        return lost + (0.5 * ((r["rating"] - 3.8 - 0.5 * quality)[rated] / 0.35) ** 2).sum()


def _bce(logits: Tensor, yes: Tensor, some: Tensor) -> Tensor:
    return binary_cross_entropy_with_logits(logits[some], yes[some].float(), reduction="sum")


def _tensors(arrays: dict[str, np.ndarray]) -> dict[str, Tensor]:
    return {
        name: torch.tensor(x, dtype=torch.float32 if x.dtype == float else None)
        for name, x in arrays.items()
    }


@dataclass(eq=False)
class Habits:
    """What is known of some users' visits at a moment.

    :param there: The chance that each has not left for good; 1 for who is yet to arrive.
    :param chances: Of each point of the grid of rates and hazards, for who has not left.
    """

    there: np.ndarray
    chances: np.ndarray
    rates: np.ndarray
    hazards: np.ndarray

    @classmethod
    def of(cls, shop: Shop, users: np.ndarray, moment: float) -> Habits:
        rng = np.random.default_rng(0)
        rates = _middles(0.13 * rng.gamma(1.5, 1 / 1.5, 200_000), RATES)
        hazards = _middles(np.exp(rng.normal(-np.log(110.0), 0.5, 200_000)), HAZARDS)
        rate, hazard = (x.ravel() for x in np.meshgrid(rates, hazards, indexing="ij"))
        sessions, people = shop._course.sessions, shop._world.people
        past = sessions.time < moment
        num = np.bincount(sessions.user[past], minlength=len(people))[users]
        arrived = np.maximum(people.person.arrival, 0.0)
        last = arrived.copy()
        np.maximum.at(last, sessions.user[past], sessions.time[past])
        whole = np.maximum(moment - arrived[users], 0.0)[:, None]
        since = np.minimum(last[users] - arrived[users], whole[:, 0])[:, None]
        both = rate + hazard
        visits = num[:, None] * np.log(rate)
        stays = np.exp(visits - both * whole)
        gone = np.exp(visits) * hazard / both * (np.exp(-both * since) - np.exp(-both * whole))
        there = stays.sum(axis=1) / (stays + gone).sum(axis=1)
        return cls(there, stays / stays.sum(axis=1, keepdims=True), rate, hazard)

    def drawn(self, world: World, seed: Sequence[int], *, leave: bool = False) -> World:
        """The world, its people with habits drawn from what is known.

        :param leave: Whether those are gone whose chance says so; else all are still there.
        """
        rng, num = np.random.default_rng(seed), len(self.there)
        point = (self.chances.cumsum(axis=1) < rng.random((num, 1))).sum(axis=1)
        point = np.minimum(point, len(self.rates) - 1)
        gone = leave & (rng.random(num) > self.there)
        habit = replace(
            world.people.habit,
            rate=self.rates[point],
            hazard=self.hazards[point],
            leaving=np.where(gone, -1.0, np.inf),
        )
        return replace(world, people=replace(world.people, habit=habit))


def _middles(drawn: np.ndarray, parts: int) -> np.ndarray:
    """The means of equal shares of a distribution."""
    return np.array([part.mean() for part in np.array_split(np.sort(drawn), parts)])


def rows_of(record: Any, rows: np.ndarray) -> Any:
    """Some rows of a record of arrays."""
    fields = record.__dataclass_fields__
    return replace(record, **{name: getattr(record, name)[rows] for name in fields})
