# ruff: noqa: E501
"""Products of shops on the platforms that many share, and of shops on none."""

from __future__ import annotations

import json

from tests.crawler.marketplaces.made import Made

_PRODUCT = {
    "@context": "https://schema.org", "@type": "Product", "name": "Aria Tote", "image": ["/a.jpg"],
    "brand": {"@type": "Brand", "name": "Velaro"},
    "offers": {"@type": "Offer", "price": "49.90", "priceCurrency": "EUR", "availability": "https://schema.org/InStock"},
}  # fmt: skip
_SITE = "<meta property=og:site_name content='Blue Shop'>"


def _ld(data: object, before: str = "", after: str = "") -> str:
    return f"{_SITE}<script type='application/ld+json'>{before}{json.dumps(data)}{after}</script>"


_NEXT = {"props": {"pageProps": {"product": {"title": "Aria Tote", "price": {"value": 49.9, "currency": "EUR"},
    "images": [{"url": "https://shop.example/n.jpg"}], "brand": {"name": "Velaro"}}}}}  # fmt: skip

GENERIC = [
    Made("json_ld", "https://shop.example/aria", _ld(_PRODUCT), "Aria Tote", "49.90 EUR", "Blue Shop", "/a.jpg", "InStock", "Velaro"),
    Made("json_ld_in_cdata", "https://shop.example/aria", _ld(_PRODUCT, "/*<![CDATA[*/", "/*]]>*/"), "Aria Tote", "49.90 EUR", "Blue Shop", "/a.jpg"),
    Made("json_ld_comma", "https://shop.example/aria",
         f"{_SITE}<script type=application/ld+json>" + json.dumps(_PRODUCT)[:-1] + ",\n}</script>", "Aria Tote", "49.90 EUR", "Blue Shop", "/a.jpg"),
    Made("json_ld_graph", "https://shop.example/aria",
         _ld({"@graph": [{"@type": "WebSite", "name": "x"}, {"@type": "Organization", "name": "Blue Shop GmbH"}, _PRODUCT]}),
         "Aria Tote", "49.90 EUR", "Blue Shop", "/a.jpg"),
    Made("json_ld_group", "https://shop.example/aria?color=red",
         _ld({"@type": "ProductGroup", "name": "Aria Tote", "hasVariant": [_PRODUCT, {**_PRODUCT, "name": "Aria Red"}]}),
         "Aria Tote", "49.90 EUR", "Blue Shop", "/a.jpg"),
    Made("json_ld_zero_then_shown", "https://shop.example/aria",
         _ld({**_PRODUCT, "offers": {"price": "0", "priceCurrency": "EUR"}}) + "<h1>Aria Tote</h1><div class=product-price>€ 59,00</div>",
         "Aria Tote", "59.00 EUR", "Blue Shop", "/a.jpg"),
    Made("json_ld_sign_in_price", "https://shop.example/aria", _ld({**_PRODUCT, "offers": {"price": "$1,299.00", "priceCurrency": "USD"}}),
         "Aria Tote", "1299.00 USD", "Blue Shop", "/a.jpg"),
    Made("seller_in_data", "https://shop.example/aria",
         _ld({**_PRODUCT, "offers": {"price": 5, "priceCurrency": "EUR", "seller": {"@type": "Organization", "name": "Someone Else"}}}),
         "Aria Tote", "5 EUR", "Someone Else", "/a.jpg"),
    Made("microdata", "https://shop.example/aria",
         f"""{_SITE}<div itemscope itemtype=http://schema.org/Product><h1 itemprop=name>Aria Tote</h1><img itemprop=image src=/m.jpg>
         <span itemprop=brand itemscope itemtype=http://schema.org/Brand><span itemprop=name>Velaro</span></span>
         <div itemprop=offers itemscope itemtype=http://schema.org/Offer><meta itemprop=priceCurrency content=GBP><span itemprop=price
         content=1249.00>£1,249.00</span><link itemprop=availability href=http://schema.org/OutOfStock></div></div>""",
         "Aria Tote", "1249.00 GBP", "Blue Shop", "/m.jpg", "OutOfStock", "Velaro"),
    Made("rdfa", "https://shop.example/aria",
         f"""<html>{_SITE}<div vocab="http://schema.org/" typeof="Product"><h1 property=name>Aria Tote</h1><img property=image src=/r.jpg>
         <div property=offers typeof=Offer><meta property=priceCurrency content=CHF><span property=price content=1200>1'200</span></div></div></html>""",
         "Aria Tote", "1200 CHF", "Blue Shop", "/r.jpg"),
    Made("next_data", "https://shop.example/aria",
         f"{_SITE}<title>Aria Tote - Blue Shop</title><script id=__NEXT_DATA__ type=application/json>{json.dumps(_NEXT)}</script>",
         "Aria Tote", "49.9 EUR", "Blue Shop", "/n.jpg", brand="Velaro"),
    Made("open_graph", "https://shop.example/aria",
         """<meta property=og:type content=product><meta property=og:title content="Aria Tote | Blue Shop"><meta property=og:site_name
         content="Blue Shop"><meta property=og:image content=https://cdn.example/o.jpg><meta property=product:price:amount content="1.249,00">
         <meta property=product:price:currency content=EUR><meta property=product:availability content="out of stock">""",
         "Aria Tote", "1249.00 EUR", "Blue Shop", "/o.jpg", "OutOfStock"),
    Made("markup_only_tn", "https://www.boutique.tn/p/aria",
         """<title>Aria - Boutique</title><meta name=application-name content=Boutique><main><h1>Sac Aria</h1><span class=product-price>579,000 DT</span>
         <img itemprop=image src=/t.jpg></main>""",
         "Sac Aria", "579.000 TND", "Boutique", "/t.jpg"),
    Made("slogan_for_a_name", "https://www.blueshop.example/aria",
         _ld({**_PRODUCT, "offers": {"price": "9.90", "priceCurrency": "EUR", "seller": {"name": "The cheapest bags"}}}).replace("Blue Shop", "The cheapest bags")
         + '<script type="application/ld+json">{"@type":"Organization","name":"BLUESHOP"}</script>',
         "Aria Tote", "9.90 EUR", "BLUESHOP", "/a.jpg"),
]  # fmt: skip

_SHOPIFY = {"product": {"id": 1, "title": "Aria Tote", "vendor": "Velaro", "handle": "aria",
    "variants": [{"price": "60.00", "price_currency": "EUR"}, {"price": "49.90", "price_currency": "EUR"}],
    "image": {"src": "https://cdn.shopify.com/s/files/1/a.jpg"}, "images": [{"src": "https://cdn.shopify.com/s/files/1/a.jpg"}]}}  # fmt: skip
_WOO = {"id": 7, "name": "Aria Tote", "permalink": "https://shop.example/product/aria/", "is_in_stock": False,
    "prices": {"price": "4990", "regular_price": "6000", "currency_code": "EUR", "currency_minor_unit": 2},
    "images": [{"src": "https://shop.example/w.jpg"}]}  # fmt: skip
_GALLERY = {"[data-gallery-role=gallery-placeholder]": {"mage/gallery/gallery": {"data": [
    {"full": "https://shop.example/2.jpg", "isMain": False}, {"full": "https://shop.example/1.jpg", "isMain": True}]}}}  # fmt: skip

PLATFORMS = [
    Made("shopify_json", "https://shop.example/products/aria.json", json.dumps(_SHOPIFY), "Aria Tote", "49.90 EUR", None, "/a.jpg",
         brand="Velaro", kind="shopify"),
    Made("shopify_js", "https://shop.de/products/aria.js",
         json.dumps({"title": "Aria Tote", "variants": [{"price": 4990, "available": True}], "images": ["//cdn.shopify.com/b.jpg"]}),
         "Aria Tote", "49.90 EUR", None, "/b.jpg", "InStock", kind="shopify"),
    Made("shopify_page", "https://shop.example/products/aria",
         f"""{_SITE}<link href=//cdn.shopify.com/x.css><meta property=og:type content=product><meta property=og:title content="Aria Tote">
         <meta property=og:price:amount content="1,249.00"><meta property=og:price:currency content=USD>
         <meta property=og:image content=http://shop.example/cdn/shop/files/p.jpg>""",
         "Aria Tote", "1249.00 USD", "Blue Shop", "/p.jpg"),
    Made("woocommerce_api", "https://shop.example/wp-json/wc/store/v1/products/7", json.dumps(_WOO), "Aria Tote", "49.90 EUR", None,
         "/w.jpg", "OutOfStock", kind="woocommerce"),
    Made("woocommerce_sale", "https://shop.example/product/aria/",
         f"""{_SITE}<body class="woocommerce-page"><div class=related><span class=price><span class=amount>€1,00</span></span></div>
         <div class=summary><h1 class=product_title>Aria Tote</h1><p class=price><del><span class="woocommerce-Price-amount amount"><bdi>€60,00</bdi></span></del>
         <ins><span class="woocommerce-Price-amount amount"><bdi>49,90&nbsp;<span class=woocommerce-Price-currencySymbol>€</span></bdi></span></ins></p>
         <p class="stock in-stock">12 in stock</p></div>
         <div class=woocommerce-product-gallery__image><a href=https://shop.example/g.jpg><img src=/s.jpg></a></div>
         <span class=dokan-vendor-name><a href=https://shop.example/store/azul/>Azul</a></span>""",
         "Aria Tote", "49.90 EUR", "Azul", "/g.jpg", "InStock"),
    Made("magento_2", "https://shop.example/aria.html",
         f"""{_SITE}<meta property=product:price:currency content=PLN><body class=catalog-product-view data-mage-init='{{}}'>
         <div class=product-info-main><h1 class=page-title><span class=base itemprop=name>Aria Tote</span></h1>
         <div class=stock title=Availability><span>In stock</span></div><div class=price-box><span class=special-price><span
         class="price-container"><span data-price-amount=1249.5 data-price-type=finalPrice class=price-wrapper><span class=price>1 249,50 zł</span></span></span></span>
         <span class=old-price><span data-price-amount=2000 data-price-type=oldPrice><span class=price>2 000,00 zł</span></span></span></div></div>
         <script type="text/x-magento-init">{json.dumps(_GALLERY)}</script>""",
         "Aria Tote", "1249.5 PLN", "Blue Shop", "/1.jpg", "InStock"),
    Made("magento_1", "https://shop.example/aria.html",
         f"""{_SITE}<link href=/skin/frontend/default/x.css><div class=product-view><div class=product-name><h1>Aria Tote</h1></div>
         <p class="availability out-of-stock"><span>Out of stock</span></p><div class=price-box><p class=special-price><span class=price>$1,049.00</span></p>
         <p class=old-price><span class=price>$1,249.00</span></p></div><p class=product-image><img src=/media/o.jpg></p></div>""",
         "Aria Tote", "1049.00 USD", "Blue Shop", "/o.jpg", "OutOfStock"),
    Made("prestashop_17", "https://shop.example/fr/sacs/12-aria.html",
         f"""<html lang=fr>{_SITE}<script>var prestashop = {{"currency":{{"iso_code":"TND"}}}};</script><section id=main>
         <h1 itemprop=name>Sac Aria</h1><div class=product-prices><div class=product-discount><span class=regular-price>1 500,000 DT</span></div>
         <div class=current-price><span class=current-price-value content=1249>1&nbsp;249,000 DT</span></div></div>
         <span id=product-availability>Rupture de stock</span><div class=product-cover><img src=https://shop.example/ps.jpg></div></section>""",
         "Sac Aria", "1249.000 TND", "Blue Shop", "/ps.jpg", "OutOfStock"),
    Made("prestashop_16", "https://shop.example/12-aria.html",
         f"""{_SITE}<input id=product_page_product_id name=id_product><div class=pb-center-column><h1 itemprop=name>Sac Aria</h1></div>
         <p class=our_price_display><span id=our_price_display>49,90 €</span></p><img id=bigpic src=https://shop.example/p6.jpg>
         <span id=availability_value>En stock</span>""",
         "Sac Aria", "49.90 EUR", "Blue Shop", "/p6.jpg", "InStock"),
]  # fmt: skip

PAGES = [*GENERIC, *PLATFORMS]
