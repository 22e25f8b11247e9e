"""What stands between a visitor and a listing: layers that can be closed, walls that cannot.

Layers are closed and that is noted. A wall is recognised, kept as what it is, and never taken
for the listing. Where both could be, a page that shows the listing is the listing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from crawler.marketplaces.walls import (
    BLOCKED_WORDS,
    CAPTCHA_WORDS,
    GONE_WORDS,
    LOGIN_PATH,
    SIGN_IN_WORDS,
)
from evidence.capturing.isolated import IsolatedWorld

MAX_CLICKS = 8
#: A wall says little; a listing that speaks of captchas says more.
WALL_CHARACTERS = 2_500

_CLOSE = files("evidence.capturing").joinpath("overlays.js").read_text(encoding="utf-8")
_SIGNS = files("evidence.capturing").joinpath("signs.js").read_text(encoding="utf-8")

#: Buttons of the consent platforms that most shops use; those that refuse come first.
_KNOWN = (
    "#onetrust-reject-all-handler",
    "#CybotCookiebotDialogBodyButtonDecline",
    "#didomi-notice-disagree-button",
    "[data-testid='uc-deny-all-button']",
    "#usercentrics-root [data-testid='uc-deny-all-button']",
    ".cky-btn-reject",
    ".cmplz-deny",
    "#sp-cc-rejectall-link",
    "#gdpr-banner-decline",
    "#truste-consent-required",
    ".osano-cm-denyAll",
    "#axeptio_btn_dismiss",
    ".qc-cmp2-summary-buttons button[mode='secondary']",
    "#onetrust-accept-btn-handler",
    "#CybotCookiebotDialogBodyLevelButtonLevelOptinAllowAll",
    "#didomi-notice-agree-button",
    "#gdpr-banner-accept",
    "#truste-consent-button",
)  # fmt: skip

_WORDS: dict[str, list[str]] = {
    "cookies": [
        "cookie", "consent", "gdpr", "datenschutz", "privacy", "privatsphäre", "données",
        "privacidad", "confidentialité", "файлы cookie", "隐私", "隱私", "クッキー", "çerez",
        "ciasteczk", "prywatno",
    ],
    "reject": [
        "reject all", "reject", "decline", "decline all", "refuse", "deny", "deny all",
        "only necessary", "necessary only", "essential only", "only essential",
        "use necessary cookies only", "continue without accepting", "ablehnen",
        "alle ablehnen", "nur notwendige", "nur erforderliche", "nur notwendige cookies",
        "tout refuser", "refuser", "continuer sans accepter", "rechazar", "rechazar todo",
        "rechazar todas", "rifiuta", "rifiuta tutto", "weigeren", "alles weigeren", "odrzuć",
        "odrzuć wszystkie", "rejeitar", "rejeitar tudo", "avvisa alla", "отклонить",
        "отклонить все", "拒绝", "全部拒绝", "拒絕", "拒否する", "すべて拒否", "reddet",
        "tümünü reddet",
    ],
    "accept": [
        "accept all", "accept", "accept cookies", "accept all cookies", "allow all", "allow",
        "i agree", "agree", "got it", "ok", "okay", "understood", "akzeptieren",
        "alle akzeptieren", "zustimmen", "einverstanden", "verstanden", "tout accepter",
        "accepter", "j'accepte", "aceptar", "aceptar todo", "aceptar todas", "accetta",
        "accetta tutto", "accepteren", "alles accepteren", "akceptuj", "akceptuję", "zgadzam się",
        "aceitar", "aceitar tudo", "acceptera alla", "принять", "принять все", "согласен",
        "接受", "同意", "全部接受", "我知道了", "同意する", "すべて同意", "kabul et",
        "tümünü kabul et",
    ],
    "close": [
        "close", "dismiss", "no thanks", "no, thanks", "not now", "maybe later", "skip",
        "schließen", "nein danke", "nein, danke", "nicht jetzt", "später", "fermer",
        "non merci", "non, merci", "plus tard", "cerrar", "no, gracias", "ahora no", "chiudi",
        "no, grazie", "sluiten", "nee, bedankt", "zamknij", "nie, dziękuję", "fechar",
        "stäng", "закрыть", "нет, спасибо", "关闭", "關閉", "閉じる", "kapat",
        "×", "✕", "✖", "x", "╳",
    ],
    "never": [
        "buy", "order", "checkout", "cart", "basket", "pay", "sign in", "log in", "login",
        "sign up", "register", "subscribe", "kaufen", "bestellen", "warenkorb", "anmelden",
        "registrieren", "acheter", "commander", "panier", "connexion", "s'inscrire", "comprar",
        "iniciar sesión", "acquista", "accedi", "kopen", "inloggen", "kup ", "zaloguj",
        "купить", "войти", "购买", "下单", "登录", "注册", "購入", "ログイン",
    ],
}  # fmt: skip

_CAPTCHA_FRAMES = re.compile(
    r"recaptcha/(?:api2|enterprise)/(?:anchor|bframe)|hcaptcha\.com|challenges\.cloudflare\.com"
    r"|captcha-delivery\.com|arkoselabs|funcaptcha|geetest|perimeterx|px-cdn|awswaf|captcha",
    re.IGNORECASE,
)
_CAPTCHA_MARKS = re.compile(
    r"captcha|cf-turnstile|challenge-form|px-block|geetest|nc_wrapper|nocaptcha"
    r"|challenge-platform",
    re.IGNORECASE,
)


async def close_layers(world: IsolatedWorld) -> list[dict[str, Any]]:
    """Close cookie banners and other layers; what was clicked, for the record."""
    clicked: list[dict[str, Any]] = await world.call(_CLOSE, list(_KNOWN), _WORDS, MAX_CLICKS)
    return clicked


@dataclass(frozen=True, slots=True)
class Signs:
    """What of a page tells a wall from a listing; read in the page, judged here."""

    title: str = ""
    text: str = ""
    heading: str = ""
    password: bool = False
    frames: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    images: int = 0


async def read_signs(world: IsolatedWorld) -> Signs:
    """Read them in a page."""
    said = await world.call(_SIGNS)
    return Signs(
        title=str(said["title"]),
        text=str(said["text"]),
        heading=str(said["heading"]),
        password=bool(said["password"]),
        frames=tuple(said["frames"]),
        marks=tuple(said["marks"]),
        images=int(said["images"]),
    )


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a page is, and why it is taken for that."""

    status: str
    why: str = ""


def recognise(
    signs: Signs,
    *,
    http_status: int,
    url: str,
    shows_listing: bool | None = None,
    elsewhere: bool = False,
) -> Recognised:
    """Tell what a page is: ``complete``, ``login``, ``captcha``, ``blocked`` or ``gone``.

    Parameters
    ----------
    url
        Where the visit ended.
    shows_listing
        Whether a title and a price were read from it; None if nobody knows how to.
    elsewhere
        Whether it ended at something else than the listing that was asked for.
    """
    refused = http_status in (401, 403, 405, 407, 429, 451) or http_status >= 500
    little = len(signs.text) <= WALL_CHARACTERS
    said = f"{signs.title} {signs.heading} {signs.text if little else ''}"
    if http_status in (404, 410):
        return Recognised("gone", f"HTTP {http_status}")
    wall = refused or (shows_listing is not True and little)
    if wall:
        mark = _first(_CAPTCHA_FRAMES, signs.frames) or _first(_CAPTCHA_MARKS, signs.marks)
        words = CAPTCHA_WORDS.search(said)
        if mark and (refused or words or signs.images < 3):
            return Recognised("captcha", f"found {mark!r}")
        if words and (refused or signs.images < 3):
            return Recognised("captcha", f"it says {words[0]!r}")
    if http_status == 401 or (shows_listing is not True and _asks_to_sign_in(signs, url, said)):
        return Recognised("login", f"HTTP {http_status}, {urlsplit(url).path[:100]}")
    if refused:
        return Recognised("blocked", f"HTTP {http_status}")
    if shows_listing is True and not elsewhere:
        return Recognised("complete")
    blocked = BLOCKED_WORDS.search(f"{signs.title} {signs.heading}")
    if blocked and little:
        return Recognised("blocked", f"it says {blocked[0]!r}")
    if elsewhere:
        return Recognised("gone", f"it led to {url[:200]}")
    gone = GONE_WORDS.search(said)
    if gone and shows_listing is False:
        return Recognised("gone", f"it says {gone[0]!r}")
    return Recognised("complete")


def _asks_to_sign_in(signs: Signs, url: str, said: str) -> bool:
    by_path = bool(LOGIN_PATH.search(urlsplit(url).path))
    if signs.password:
        return by_path or len(signs.text) <= WALL_CHARACTERS
    # Some ask for the name first and for the password on the next page.
    return by_path and bool(SIGN_IN_WORDS.search(said))


def _first(pattern: re.Pattern[str], values: Iterable[str]) -> str | None:
    for value in values:
        found = pattern.search(value)
        if found:
            return found[0]
    return None
