"""Pages of results made by us: cards, sponsored places, the next page, and what is none."""
# ruff: noqa: E501

from __future__ import annotations

import json

import pytest

from crawler.marketplaces.reading import read_page

_LAZADA = {"mods": {"listItems": [
    {"name": "Aria", "price": "305.00", "priceShow": "₱305.00", "itemUrl": "//www.lazada.com.ph/products/aria-i123456789.html?x=1", "image": "https://a.example/1.jpg"},
    {"name": "Other", "price": "12.00", "itemUrl": "//www.lazada.com.ph/products/other-i223456789.html", "isAD": 1}]}}  # fmt: skip
_SHOPEE = {"items": [{"item_basic": {"itemid": 9876543210, "shopid": 55, "name": "Aria", "price": 30500000, "currency": "PHP", "image": "a"}},
                     {"adsid": 7, "item_basic": {"itemid": 9876543211, "shopid": 55, "name": "Other", "price": 1200000, "currency": "PHP", "image": "b"}}]}  # fmt: skip
_WALMART = {"props": {"pageProps": {"initialData": {"searchResult": {"itemStacks": [{"items": [
    {"usItemId": "123456789", "name": "Aria", "priceInfo": {"linePrice": "$305.00"}, "image": "https://a.example/1.jpg"},
    {"usItemId": "223456789", "name": "Other", "price": 12, "isSponsoredFlag": True}]}]}}}}}  # fmt: skip
_TAOBAO = {"mods": {"itemlist": {"data": {"auctions": [
    {"nid": "562283240178", "raw_title": "Aria", "view_price": "305.00", "pic_url": "//a.example/1.jpg", "detail_url": "//item.taobao.com/item.htm?id=562283240178"},
    {"nid": "562283240179", "raw_title": "Other", "view_price": "12.00", "p4p": 1, "detail_url": "https://click.simba.taobao.com/x"}]}}}}  # fmt: skip
_ALI = {"data": {"root": {"fields": {"mods": {"itemList": {"content": [
    {"productId": "1005001234567890", "title": {"displayTitle": "Aria"}, "prices": {"salePrice": {"formattedPrice": "US $305.00"}}, "image": {"imgUrl": "//a.example/1.jpg"}},
    {"productId": "1005001234567891", "title": {"displayTitle": "Other"}, "prices": {"salePrice": {"minPrice": 12, "currencyCode": "USD"}}, "trace": {"p4pId": "9"}}]}}}}}}  # fmt: skip
_WOO = [{"name": "Aria", "permalink": "https://shop.example/product/aria/", "prices": {"price": "30500", "currency_code": "EUR", "currency_minor_unit": 2}, "images": []},
        {"name": "Other", "permalink": "https://shop.example/product/other/", "prices": {"price": "12", "currency_code": "JPY", "currency_minor_unit": 0}}]  # fmt: skip
_SUGGEST = {"resources": {"results": {"products": [{"title": "Aria", "url": "/products/aria?_pos=1", "price": "305.00", "image": "https://a.example/1.jpg"},
                                                   {"title": "Other", "handle": "other", "price": "12.00"}]}}}  # fmt: skip
_LIST = {"@type": "ItemList", "itemListElement": [
    {"@type": "ListItem", "item": {"@type": "Product", "name": "Aria", "url": "/p/aria", "offers": {"price": "305.00", "priceCurrency": "EUR"}}},
    {"@type": "ListItem", "item": {"@type": "Product", "name": "Other", "url": "/p/other", "offers": {"price": 12, "priceCurrency": "EUR"}}}]}  # fmt: skip

#: Kind, address, page, currency, whether the second is marked as paid for, the next page's end.
RESULTS = {
    "amazon_2016": ("amazon", "https://www.amazon.com/s?k=aria",
        """<ul><li class=s-result-item data-asin=B0ABCDEF12><h2>Aria</h2><span class=s-price>$305.00</span><img class=s-access-image src=https://a.example/1.jpg></li>
        <li class=s-result-item data-asin=B0ABCDEF13><h5 class=s-sponsored-header>Sponsored</h5><h2>Other</h2><span class="a-color-price">$12.00</span></li></ul>
        <a id=pagnNextLink href=/s?k=aria&page=2>Next</a>""", "USD", True, "page=2"),
    "ebay_2025": ("ebay", "https://www.ebay.de/sch/i.html?_nkw=aria",
        """<ul class=srp-results><li class=s-item><a class=s-item__link href=https://ebay.com/itm/123456>Shop on eBay</a></li>
        <li class=s-card><a class=su-link href="https://www.ebay.de/itm/123456789012?x=1"><div class=s-card__title><span>Aria</span><span class=clipped>Wird in neuem Fenster oder Tab geöffnet</span></div></a>
        <span class=s-card__price>EUR 305,00</span><img src=https://i.ebayimg.com/1.jpg></li>
        <li class=s-card><a class=su-link href=https://www.ebay.de/itm/123456789013><div class=s-card__title>Other</div></a><span class=s-card__price>EUR 12,00</span>
        <span><b>e</b>gi<b>\u200b</b>eznA<i></i></span></li></ul><a class=pagination__next href=/sch/i.html?_nkw=aria&_pgn=2></a>""".replace("<b>e</b>gi<b>\u200b</b>eznA<i></i>", "eg\u200bieznA"),
        "EUR", True, "_pgn=2"),
    "etsy": ("etsy", "https://www.etsy.com/search?q=aria",
        """<li><a class=listing-link data-listing-id=1 href=https://www.etsy.com/listing/1234567890/aria?x=1><img src=https://a.example/1.jpg><h3>Aria</h3></a><p class=lc-price>
        <span class=currency-symbol>€</span><span class=currency-value>305.00</span></p></li><li><a class=listing-link href=/listing/1234567891/o?plkey=1><h3>Other</h3></a>
        <span class=currency-symbol>€</span><span class=currency-value>12.00</span></li><nav aria-label="Pagination"><a aria-label="Next page" href=/search?q=aria&page=2></a></nav>""",
        "EUR", True, "page=2"),
    "kleinanzeigen": ("kleinanzeigen", "https://www.kleinanzeigen.de/s-aria/k0",
        """<li class="ad-listitem"><article class=aditem data-href=/s-anzeige/aria/1234567890-1><h2><a href=x>Aria</a></h2><p class=aditem-main--middle--price-shipping--price>305 € VB</p>
        <div class=aditem-image><img src=https://a.example/1.jpg></div></article></li><li class="ad-listitem badge-topad"><article class=aditem data-href=/s-anzeige/other/1234567891-1><h2>Other</h2>
        <p class=aditem-main--middle--price>12 €</p></article></li><a class=pagination-next href=/s-seite:2/aria/k0></a>""", "EUR", True, "s-seite:2/aria/k0"),
    "mercari": ("mercari", "https://jp.mercari.com/search?keyword=aria",
        """<li data-testid=item-cell><a href=/item/m12345678901><span data-testid=thumbnail-item-name>Aria</span><span class=merPrice>¥305</span><img src=https://a.example/1.jpg></a></li>
        <li data-testid=item-cell><a href=/shops/product/2JHdBaCdEfGhIj><span data-testid=thumbnail-item-name>Other</span><span class=merPrice>¥12</span></a></li>""", "JPY", False, None),
    "mercadolibre_2017": ("mercadolibre", "https://listado.mercadolibre.com.mx/aria",
        """<li class=results-item><a class=item__info-title href=https://articulo.mercadolibre.com.mx/MLM-123456789-aria-_JM><h2 class=main-title>Aria</h2></a><div class=price__container>
        <span class=price__symbol>$</span><span class=price__fraction>305</span></div><img data-src=https://a.example/1.jpg></li>
        <li class=results-item><a class=item__info-title href=https://articulo.mercadolibre.com.mx/MLM-123456780-o-_JM><h2>Other</h2></a><div class=price__container><span class=price__symbol>$</span>
        <span class=price__fraction>12</span></div><i>Promocionado</i></li><li class=andes-pagination__button--next><a href=https://listado.mercadolibre.com.mx/aria_Desde_51></a></li>""",
        "MXN", True, "aria_Desde_51"),
    "dhgate": ("dhgate", "https://www.dhgate.com/wholesale/search.do?searchkey=aria",
        """<div class=listitem><h3 class=pro-title><a href=//www.dhgate.com/product/aria/412345678.html#s1>Aria</a></h3><li class=price>US $305.00</li><img src=//a.example/1.jpg></div>
        <div class=listitem><h3 class=pro-title><a href=//www.dhgate.com/product/o/412345679.html>Other</a></h3><li class=price>US $12.00 - 15.00 / Piece</li><i>S p o n s o r e d</i></div>
        <a class=next href=/w/aria/1.html></a>""", "USD", True, "/w/aria/1.html"),
    "1688": ("1688", "https://s.1688.com/selloffer/offer_search.htm?keywords=a",
        """<div class=offer-card><a href=https://detail.1688.com/offer/612345678901.html><div class=title-text>Aria</div><div class=price>¥305.00</div><img src=https://a.example/1.jpg></a></div>
        <div class=offer-card><a href=https://detail.1688.com/offer/612345678902.html><div class=title-text>Other</div><div class=price>¥12.00</div><i>广告</i></a></div>""", "CNY", True, None),
    "bestbuy": ("bestbuy", "https://www.bestbuy.com/site/searchpage.jsp?st=aria",
        """<li class=sku-item><h4 class=sku-title><a href=/site/aria/6501902.p?skuId=6501902>Aria</a></h4><div class=priceView-customer-price><span>$305.00</span></div><img src=https://a.example/1.jpg></li>
        <li class="sku-item"><h4 class=sku-title><a href=/site/o/6501903.p?skuId=6501903>Other</a></h4><div class=priceView-customer-price><span>$12.00</span></div><b class=is-sponsored></b></li>
        <a class=sku-list-page-next href=?st=aria&cp=2></a>""", "USD", True, "cp=2"),
    "facebook": ("facebook", "https://www.facebook.com/marketplace/search/?query=aria",
        """<a href=/marketplace/item/1234567890123456/?ref=s><img src=https://a.example/1.jpg><span>$305</span><span>Aria</span></a>
        <a href=/marketplace/item/1234567890123457/><span>$12</span><span>Other</span></a>""", "USD", False, None),
    "lazada_state": ("lazada", "https://www.lazada.com.ph/catalog/?q=aria", f"<script>window.pageData={json.dumps(_LAZADA)};</script>", "PHP", True, None),
    "lazada_json": ("lazada", "https://www.lazada.com.ph/catalog/?ajax=true&q=aria", json.dumps(_LAZADA), "PHP", True, None),
    "shopee": ("shopee", "https://shopee.ph/api/v4/search/search_items?keyword=aria", json.dumps(_SHOPEE), "PHP", True, None),
    "walmart": ("walmart", "https://www.walmart.com/search?q=aria", f"<script id=__NEXT_DATA__ type=application/json>{json.dumps(_WALMART)}</script><a aria-label='Next Page' href=/search?q=aria&page=2></a>", "USD", True, "page=2"),
    "taobao": ("taobao", "https://s.taobao.com/search?q=aria", f"<script>g_page_config = {json.dumps(_TAOBAO)};</script>", "CNY", True, None),
    "tmall": ("tmall", "https://list.tmall.com/search_product.htm?q=aria",
        """<div class=product><p class=productPrice><em title=305.00><b>¥</b>305.00</em></p><p class=productTitle><a href="//detail.tmall.com/item.htm?id=562283240178&skuId=1" title=Aria>Aria</a></p><img data-src=//a.example/1.jpg></div>
        <div class=product><p class=productPrice><em><b>¥</b>12.00</em></p><p class=productTitle><a href="//detail.tmall.com/item.htm?id=562283240179" title=Other>Other</a></p></div>
        <a class=ui-page-next href=?q=aria&s=60></a>""", "CNY", False, "s=60"),
    "aliexpress": ("aliexpress", "https://www.aliexpress.com/w/wholesale-aria.html", f"<script>window._dida_config_._init_data_= {{ data: {json.dumps(_ALI)} }}</script>", "USD", True, None),
    "woocommerce_api": ("woocommerce", "https://shop.example/wp-json/wc/store/v1/products?search=aria", json.dumps(_WOO), None, False, None),
    "shopify_suggest": ("shopify", "https://shop.de/search/suggest.json?q=aria", json.dumps(_SUGGEST), "EUR", False, None),
    "shopify_products": ("shopify", "https://shop.de/products.json?limit=250&page=2", json.dumps(
        {"products": [{"title": "Aria", "handle": "aria", "variants": [{"price": "305.00"}], "images": [{"src": "https://a.example/1.jpg"}]}, {"title": "Other", "handle": "other", "variants": [{"price": "12.00"}]}]}),
        "EUR", False, "products.json?limit=250&page=3"),
    "schema_org": ("schema.org", "https://shop.example/search?q=aria", f"<script type=application/ld+json>{json.dumps(_LIST)}</script><link rel=next href=?q=aria&page=2>", "EUR", False, "page=2"),
    "magento": ("magento", "https://shop.example/catalogsearch/result/?q=aria",
        """<html lang=de-DE><li class=product-item><a class=product-item-link href=/aria.html>Aria</a><span class=old-price><span class=price>400,00 €</span></span><span class=special-price><span class=price>305,00 €</span></span><img src=https://a.example/1.jpg></li>
        <li class=product-item><a class=product-item-link href=/other.html>Other</a><span class=price>12,00 €</span></li><li class=pages-item-next><a href=?p=2></a></li>""", "EUR", False, "p=2"),
    "prestashop": ("prestashop", "https://shop.example/search?s=aria",
        """<article class=product-miniature><a href=/12-aria.html><img src=https://a.example/1.jpg></a><h2 class=product-title>Aria</h2><span class=price>305,00 €</span></article>
        <article class=product-miniature><a href=/13-other.html></a><h2 class=product-title>Other</h2><span class=price>12,00 €</span></article><a rel=next class="next js-search-link" href=?page=2></a>""", "EUR", False, "page=2"),
}  # fmt: skip


@pytest.mark.parametrize("name", RESULTS)
def test_results_are_read(name: str) -> None:
    kind, url, html, currency, paid, following = RESULTS[name]
    read = read_page(html.encode(), url, kind=kind, what="results")
    assert read.outcome == "listings", read.why
    assert [card.name for card in read.cards] == ["Aria", "Other"]
    assert [int(card.money.amount) for card in read.cards if card.money] == [305, 12]
    if currency is not None:
        assert {card.money.currency for card in read.cards if card.money} == {currency}
    assert [card.sponsored for card in read.cards] == [False, paid]
    assert all(card.url.startswith("https://") for card in read.cards)
    assert len({card.url for card in read.cards}) == 2
    if following is None:
        assert read.next_page is None
    else:
        assert read.next_page is not None
        assert read.next_page.endswith(following)


@pytest.mark.parametrize(
    ("url", "html", "status", "outcome"),
    [
        ("https://www.amazon.com/s?k=x", '<form action="/errors/validateCaptcha"><h4>Enter the characters you see below</h4></form>', 200, "captcha"),
        ("https://www.amazon.de/s?k=x", "<title>Tut uns Leid!</title>api-services-support@amazon.com Sorry! Something went wrong", 503, "blocked"),
        ("https://www.ebay.com/splashui/captcha?x", "<title>Pardon Our Interruption...</title>", 200, "captcha"),
        ("https://www.aliexpress.com/w/wholesale-x.html", "<script>window._config_={'action':'captcha','url':'/_____tmd_____/punish?x5secdata=1'}</script>", 200, "captcha"),
        ("https://login.taobao.com/member/login.jhtml?redirectURL=x", "<title>淘宝网 - 淘！我喜欢</title><form>密码登录</form>", 200, "login"),
        ("https://s.1688.com/x", "<script>location.href='https://login.1688.com/member/signin.htm'</script>", 200, "login"),
        ("https://www.walmart.com/blocked?url=x", "<title>Robot or human?</title><div id=\"px-captcha\"></div>", 200, "captcha"),
        ("https://www.etsy.com/search?q=x", '<script src="https://ct.captcha-delivery.com/c.js"></script><p>Please enable JS</p>', 403, "captcha"),
        ("https://listado.mercadolibre.com.mx/x", '<link href="/suspicious-traffic-frontend/x.css"><h1>¿Eres humano?</h1>', 200, "captcha"),
        ("https://shopee.ph/verify/traffic?x", "<title>Shopee</title><div id=main></div><script>'/verify/traffic'</script>", 200, "captcha"),
        ("https://www.bestbuy.com/site/searchpage.jsp", "<html><head><title>Access Denied</title></head><h1>Access Denied</h1></html>", 403, "blocked"),
        ("https://www.kleinanzeigen.de/s-x/k0", "<h1>Zugriff verweigert</h1>", 403, "blocked"),
        ("https://shop.example/search", "<title>Just a moment...</title><script>window._cf_chl_opt={}</script>", 403, "captcha"),
        ("https://www.facebook.com/login/?next=x", "<title>Log in to Facebook</title>", 200, "login"),
        ("https://www.ebay.com/sch/i.html", "<h3 class=srp-save-null-search__heading>No exact matches found</h3>", 200, "empty"),
        ("https://shop.example/search?q=x", "<h1>Search</h1><p>Your search did not match any products.</p>", 200, "empty"),
        ("https://s.taobao.com/search?q=x", "<p>抱歉！没有找到与“x”相关的宝贝</p>", 200, "empty"),
        ("https://www.amazon.com/s?k=x", "<title>Amazon.com : x</title><main class=new-layout><p>Aria bag $5</p></main>", 200, "unread"),
        ("https://www.etsy.com/search?q=x", "<title>Etsy</title>", 200, "unread"),
        ("https://www.etsy.com/search?q=x", "gone", 404, "gone"),
    ],
)  # fmt: skip
def test_a_page_without_listings_says_why(url: str, html: str, status: int, outcome: str) -> None:
    read = read_page(html.encode(), url, what="results", status=status)
    assert read.outcome == outcome, read.why
    assert read.why
    assert read.cards == ()


@pytest.mark.parametrize(
    ("url", "html", "outcome"),
    [
        ("https://www.amazon.com/dp/B0ABCDEF12", "<form action='/errors/validateCaptcha'>x</form>", "captcha"),
        ("https://www.amazon.com/dp/B0ABCDEF12", "<h1>Looking for something?</h1><p>not a functioning page</p>", "gone"),
        ("https://detail.tmall.com/item.htm?id=562283240178", "<title>登录</title>", "login"),
        ("https://www.ebay.com/itm/123456789012", "<p>This listing was removed.</p>", "gone"),
        ("https://www.walmart.com/ip/123456789", "<div class=a-new-layout>Aria</div>", "unread"),
    ],
)  # fmt: skip
def test_a_page_without_a_listing_says_why(url: str, html: str, outcome: str) -> None:
    read = read_page(html.encode(), url, what="listing")
    assert (read.outcome, bool(read.why)) == (outcome, True)


def test_a_listing_that_speaks_of_robots_is_a_listing() -> None:
    html = """<span id=productTitle>Are you a robot? T-shirt, not a robot, access denied</span>
    <span id=priceblock_ourprice>$5.00</span>"""
    assert read_page(html.encode(), "https://www.amazon.com/dp/B0ABCDEF12").outcome == "listing"
