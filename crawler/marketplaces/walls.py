"""What stands in the place of a page: captcha, login, block. Told from the page's own markup.

A wall is a result of its own. It is never taken for "no listings", and never worked around.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import unquote, urlsplit

Kind = Literal["captcha", "login", "blocked", "gone"]

#: A wall says little; a page that says more speaks of walls.
MAX_WORDS_PAGE = 6_000

#: Markup that only walls have, of marketplaces and of those who guard them.
_MARKS: tuple[tuple[Kind, str, str], ...] = (
    ("captcha", "Amazon", r"/errors/validateCaptcha|opfcaptcha\.amazon|id=\"captchacharacters\""),
    ("captcha", "Amazon", r"action=\"/errors_page/|aws-waf-token-challenge|awsWafCookieDomainList"),
    ("captcha", "Alibaba", r"/_____tmd_____/(?:punish|verify)|x5secdata|\bnc_1_nocaptcha"
                           r"|punish-component"),
    ("captcha", "eBay", r"/splashui/(?:captcha|challenge)|captcha_loading_check"),
    ("captcha", "PerimeterX", r"id=\"px-captcha\"|_pxAppId[^<]{0,300}px-captcha|/px/captcha"),
    ("captcha", "DataDome", r"geo\.captcha-delivery\.com|ct\.captcha-delivery\.com/[ic]\.js"),
    ("captcha", "Cloudflare", r"cf-chl-|/cdn-cgi/challenge-platform/h/[bg]/orchestrate|cf_chl_opt"),
    ("captcha", "Mercado Libre", r"suspicious-traffic-frontend|/gz/account-verification"),
    ("captcha", "Shopee", r"/verify/(?:traffic|captcha)|shopee[^\"]{0,60}anti_bot"),
    ("blocked", "Imperva", r"_Incapsula_Resource\?[^\"]{0,200}SWUDNSAI|Incapsula incident ID"),
    ("blocked", "Akamai", r"errors\.edgesuite\.net|Access Denied</(?:title|h1)>"),
    ("blocked", "Cloudflare", r"cf-error-details|Sorry, you have been blocked"),
    ("login", "Alibaba", r"<title>[^<]{0,40}(?:登录|login\.taobao\.com)[^<]{0,40}</title>"),
    ("login", "Alibaba", r"location\.(?:href|replace)[^;]{0,60}//login\.(?:taobao|tmall"
                         r"|1688)\.com"),
)  # fmt: skip
_MARKUP = [(kind, who, re.compile(pattern, re.IGNORECASE)) for kind, who, pattern in _MARKS]
#: Words of walls, each in the languages of the marketplaces; a capture tells them by the same
#: (`evidence.capturing.obstacles`).
CAPTCHA_WORDS = re.compile(
    r"are you (?:a |not a )?(?:robot|human)|robot or human|(?:verify|confirm|prove)(?: that)? "
    r"you(?:'|’)?(?: a)?re (?:a |not a )?(?:human|robot)|not a robot|captcha"
    r"|pardon our interruption|characters you see|checking your browser|unusual traffic"
    r"|press (?:and|&) hold|just a moment\.\.\.|security (?:check|measure)|slide to verify"
    r"|kein roboter|ich bin ein mensch|sicherheits(?:überprüfung|abfrage)|pas un robot"
    r"|no (?:eres|soy) un robot|não sou um robô|non sono un robot|не робот"
    r"|验证码|安全验证|滑动验证|请拖动|驗證碼|人机验证|ロボットではありません|画像に表示されている",
    re.IGNORECASE,
)
BLOCKED_WORDS = re.compile(
    r"access (?:to this page )?(?:has been |is |was )?denied|you (?:have been|are|were) blocked"
    r"|request (?:has been |was )?blocked|\bforbidden\b|too many requests"
    r"|zugriff (?:verweigert|(?:wurde )?gesperrt)|ip-bereich gesperrt"
    r"|accès (?:refusé|interdit)|acceso denegado|acesso negado|accesso negato"
    r"|доступ (?:запрещ|ограничен)|访问被拒绝|拒绝访问|アクセスが拒否"
    r"|sorry! something went wrong",
    re.IGNORECASE,
)
LOGIN_WORDS = re.compile(
    r"(?:you must |please |to continue,? )(?:sign|log) ?in|log in to (?:continue|facebook)"
    r"|bitte (?:melden sie sich|logge dich)"
    r"|亲，请登录|请先登录|請先登入|密码登录|扫码登录|ログインしてください",
    re.IGNORECASE,
)
GONE_WORDS = re.compile(
    r"no longer (?:available|exists|for sale)|(?:listing|item|page|product)"
    r"(?: you(?:'re| are) looking for)? "
    r"(?:has )?(?:ended|(?:was |been |is )*(?:removed|deleted|not found|unavailable))"
    r"|looking for something\?|nicht (?:mehr )?(?:verfügbar|gefunden)"
    r"|n(?:'|’)existe plus|plus disponible|ya no (?:está|existe)"
    r"|publicación (?:pausada|finalizada)"
    r"|non (?:è )?più disponibile|больше не|не найден|商品已下架|宝贝不存在|不存在|已失效"
    r"|見つかりません|削除されました",
    re.IGNORECASE,
)
#: Said on any page that offers to sign in: with the address of a login, it is one.
SIGN_IN_WORDS = re.compile(
    r"(?:sign|log) ?in|anmelden|einloggen|connectez|identifiez|iniciar sesión|accedi|inloggen"
    r"|zaloguj|войти|登录|登入|ログイン",
    re.IGNORECASE,
)
LOGIN_PATH = re.compile(
    r"(?:^|[/_.-])(?:log[-_]?in|sign[-_]?in|anmelden|connexion|auth|sso|passport|ap/signin)"
    r"(?:[/_.?-]|$)",
    re.IGNORECASE,
)
_WORDS: tuple[tuple[Kind, re.Pattern[str]], ...] = (
    ("captcha", CAPTCHA_WORDS),
    ("blocked", BLOCKED_WORDS),
    ("login", LOGIN_WORDS),
    ("gone", GONE_WORDS),
)
_TITLE = re.compile(r"<(title|h1)\b[^<>]{0,300}>([^<]{0,300})", re.IGNORECASE | re.DOTALL)
_SILENT = re.compile(r"<(script|style|noscript)\b.*?</\1\s*>|<!--.*?-->", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^<>]{0,2000}>")


@dataclass(frozen=True, slots=True)
class Wall:
    """What is there in the place of the page, and what it was told by."""

    kind: Kind
    why: str


def find_wall(page: str, url: str, status: int | None = None) -> Wall | None:
    """The wall that a page without a listing and without results is; None if it is none.

    Only to be asked of a page in which nothing was found: a listing may speak of robots.

    Parameters
    ----------
    page
        Its markup, as far as it was received.
    url
        Where the answer came from, after redirects.
    """
    if status in (404, 410):
        return Wall("gone", f"HTTP {status}")
    head = page[:200_000]
    for kind, who, pattern in _MARKUP:
        found = pattern.search(head)
        if found:
            return Wall(kind, f"{who}: {' '.join(found[0].split())[:80]}")
    try:
        path = unquote(urlsplit(url).path)
    except ValueError:
        path = ""
    if status == 401 or LOGIN_PATH.search(path):
        return Wall("login", f"the address is {path[:100]}")
    titles = " ".join(match[2] for match in _TITLE.finditer(head))
    text = " ".join(_TAG.sub(" ", _silenced(head)).split())
    said = titles if len(text) > MAX_WORDS_PAGE else f"{titles} {text}"
    for kind, words in _WORDS:
        if kind == "gone" and len(text) > MAX_WORDS_PAGE:
            continue
        found = words.search(said)
        if found:
            return Wall(kind, f"it says {found[0][:80]!r}")
    if 'type="password"' in head and len(text) <= MAX_WORDS_PAGE:
        return Wall("login", "it asks for a password")
    if status is not None and (status in (403, 405, 429, 451) or status >= 500):
        return Wall("blocked", f"HTTP {status}")
    return None


def _silenced(page: str) -> str:
    """A page without what it does not show."""
    # Unclosed, they would be searched to the end from each place anew.
    return _SILENT.sub(" ", page) if page.count("<!--") + page.count("<script") < 2_000 else page
