# ruff: noqa: E501
"""Pages as they were kept: by browsers, archives and test suites, with no address beside them.

Made by us after the structure of pages that public projects keep; what each is after is its name.
"""

from __future__ import annotations

import json

from tests.crawler.marketplaces.made import Made

_ARCHIVE = "https://web.archive.org/web/20161126090544"
_STORES = "".join(
    f'<script type="application/ld+json">{json.dumps({"@type": "Store", "name": name, "priceRange": "0 - 900"})}</script>'
    for name in ("Harbour", "Hill", "Station")
)
_AD = '<div id=ad data-state="{&quot;price&quot;:&quot;8.92&quot;,&quot;currencySymbol&quot;:&quot;£&quot;}"><span class=a-price><span class=a-offscreen>£8.92</span></span></div>'

KEPT = [
    Made("tmall_2020_range", "",
         """<html><head><meta charset=gbk><link rel=canonical href="https://detail.tmall.com/item.htm?id=605258110430">
         <script>w.g_config={itemId:"605258110430",sellerId:"2616970884",shopId:"1",sellerNickName:"%E8%93%9D%E8%89%B2%E5%BA%97"};</script>
         <title>Aria 手提包-tmall.com天猫</title></head><div id=detail><div id=J_DetailMeta><div class=tb-detail-hd><h1 data-spm=1><a href=//detail.tmall.com/item.htm?id=605258110430> Aria 手提包</a></h1>
         <p class=newp>新品</p></div><dl class="tm-price-panel tm-price-cur" id=J_StrPriceModBox><dt>价格</dt><dd><em class=tm-yen>¥</em> <span class=tm-price>5499.00-6799.00</span></dd></dl>
         <dl class=tm-promo-panel id=J_PromoPrice style="display: none;"><dt>促销价</dt><dd></dd></dl><em id=J_EmStock>库存null件</em>
         <img id=J_ImgBooth src="https://img.alicdn.com/imgextra/i3/1/b.jpg_430x430q90.jpg"></div></div></html>""",
         "Aria 手提包", "5499.00 CNY", "蓝色店", "/b.jpg", kind=None),
    Made("archived_microdata_offers_per_size", "",
         f"""<link rel=canonical href="{_ARCHIVE}/http://www.velaro.com:80/aria-sandal/_/R-US_1">
         <div class=flexslider><li><a href=/x><img src=/other.jpg></a><span class=price>$1.00</span></li></div>
         <div itemscope itemtype=http://schema.org/Product><h2 itemprop=brand>Velaro</h2><h1 itemprop=name>Aria Sandal </h1>
         <img itemprop=image src="{_ARCHIVE}im_/http://velaro.example/is/image/1-0001_IS">
         <div id=productPrice><span class=was_price>was&nbsp;$160.00</span><span class=now_price>now&nbsp;$80.00</span></div>
         <div itemprop=offers itemscope itemtype=http://schema.org/Offer><span itemprop=availability itemtype=http://schema.org/OutOfStock>OutOfStock</span>
         <span itemprop=price>80.0</span><span itemprop=priceCurrency>USD</span></div>
         <div itemprop=offers itemscope itemtype=http://schema.org/Offer><span itemprop=availability itemtype=http://schema.org/InStock>InStock</span>
         <span itemprop=price>80.0</span><span itemprop=priceCurrency>USD</span></div></div>""",
         "Aria Sandal", "80.0 USD", "velaro", "/1-0001_IS", "InStock", "Velaro"),
    Made("magento_price_in_meta_only", "",
         """<html lang=fr><link rel=canonical href=https://www.blueshop.tn/sac-aria.html><meta property=og:type content=product>
         <meta property=og:title content="Sac Aria - Noir"><meta property=og:image content=https://media.blueshop.tn/media/aria.jpg>
         <meta property=product:price:amount content=579><meta property=product:price:currency content=TND>
         <body class="catalog-product-view product-sac-aria" data-mage-init='{}'><div class=quote-dropdown><span class=subtotal-price>0.000 TND</span></div>
         <div class=product-info-main><h1 class=page-title><span class=base itemprop=name>Sac Aria - Noir</span></h1>
         <div class="stock unavailable_backorder" itemprop=availability href=https://schema.org/BackOrder><span>En arrivage</span></div>
         <table class=_payment><tr><td>3 fois</td><td>193</td></tr></table></div></body></html>""",
         "Sac Aria - Noir", "579 TND", "blueshop", "/aria.jpg", "BackOrder"),
    Made("prestashop_of_many_stores", "",
         f"""<html lang=fr><script>var prestashop = {{"currency":{{"iso_code":"TND"}},"page":{{"page_name":"product"}},"shop":{{"name":"BlueSpace.tn"}}}};</script>{_STORES}
         <link rel=canonical href=https://bluespace.tn/sacs/40376-sac-aria.html>
         <script type="application/ld+json">{{"name":"Sac Aria","image":["https:\\/\\/bluespace.tn\\/1-large_default\\/sac.jpg"],
         "offers":{{"availability":"https://schema.org/InStock","price":"2999.00","priceCurrency":"TND","@type":"Offer"}},"@type":"Product"}}</script>
         <body id=product class=page-product><div class="owl-item"><article class="product-miniature"><h2 class=product_name><a href=/2-x.html>Autre</a></h2>
         <div class="current-price"><span class=price>10,000 DT</span></div></article></div></body></html>""",
         "Sac Aria", "2999.00 TND", "BlueSpace.tn", "/sac.jpg", "InStock"),
    Made("amazon_used_only_after_an_advertisement", "",
         f"""<link rel=canonical href=https://www.amazon.co.uk/Aria-Book/dp/1849757097>{_AD}<div id=rightCol><div id=tmmSwatches><div class="swatchElement selected">
         <span class=slot-price><span class="a-size-base a-color-price"> £4.45 </span></span></div></div><div id=buybox><div id=usedBuySection><span>Buy used</span>
         <span class="a-color-price offer-price">£4.45</span></div><div>Sold by <a id=sellerProfileTriggerId href="/gp/help/seller/at-a-glance.html?seller=A2NQK4TIWYJD6B">Blue-Books</a></div>
         <input id=add-to-cart-button-ubb type=submit></div></div><span id=productTitle> Aria: 100 bags </span>
         <img id=landingImage data-a-dynamic-image='{{"https://m.media-amazon.com/images/I/1.jpg":[218,300]}}'>""",
         "Aria: 100 bags", "4.45 GBP", "Blue-Books", "/1.jpg", "InStock"),
    Made("amazon_kindle", "",
         """<link rel=canonical href=https://www.amazon.com/Aria-ebook/dp/B0011UCPM4><div id=buybox><table><tr><td>Print List Price:</td><td>$12.99</td></tr></table>
         <span id=kindle-price> $9.99 </span><div>Sold by: Blue Book Group Price set by seller.</div></div><span id=productTitle>The Aria</span>
         <img id=ebooksImgBlkFront src=https://m.media-amazon.com/images/I/k.jpg>""",
         "The Aria", "9.99 USD", "Blue Book Group", "/k.jpg"),
    Made("price_beside_no_offer", "",
         """<head itemscope itemtype=http://schema.org/WebSite><meta property=og:type content=product><meta property=og:site_name content="BLUE PARTS">
         <meta property=og:image content="https://www.blueparts.com.au/assets/full/A1.jpg?1"><meta property=og:title content="Aria Cap">
         <title itemprop=name>Aria Cap</title><link rel=canonical href=https://www.blueparts.com.au/product/aria-cap itemprop=url></head>
         <script type='application/ld+json'>{"@type": "AutoPartsStore", "name": "Blue Parts", "priceRange": "$"}</script>
         <body id=n_product><div itemscope itemtype=http://schema.org/Product><h1 itemprop=name>Aria Cap</h1><div class=productwasprice>RRP: $79.95</div>
         <div class=productpricetext itemprop=price content=20>$20.00</div><div class=productsave>SAVE 38%</div></div></body>""",
         "Aria Cap", "20 AUD", "BLUE PARTS", "/A1.jpg?1"),
    Made("price_told_to_statistics", "",
         """<html lang=de-DE><link rel=canonical href=https://www.blaushop.de/aria><title>Aria Tasche | Blaushop</title><h1>Aria Tasche</h1>
         <script>dataLayer.push({"event":"view_item","ecommerce":{"currency":"EUR","items":[{"item_name":"Aria Tasche","price":"49.90","item_brand":"Velaro"}]}});</script>
         <div class=product-gallery><img class=placeholder src=data:image/gif;base64,R0 data-src=/img/aria.jpg></div>""",
         "Aria Tasche", "49.90 EUR", "Blaushop", "/img/aria.jpg", brand="Velaro"),
    Made("price_on_a_preview_card", "",
         """<link rel=canonical href=https://www.blueshop.co.uk/aria><meta property=og:type content=product><meta property=og:title content="Aria | Blueshop">
         <meta name=twitter:label1 content=Price><meta name=twitter:data1 content="£49.90"><meta property=og:image content=/t.jpg>
         <meta property=og:site_name content=Blueshop>""",
         "Aria", "49.90 GBP", "Blueshop", "/t.jpg"),
    Made("cents_above_the_line", "",
         """<html lang=nl><!-- saved from url=(0034)https://www.blauwshop.nl/p/aria-tas -->
         <title>Aria tas - Blauwshop</title><h1>Aria tas</h1><div class=related><span class=product-price>€ 1,00</span></div>
         <span class=old-price>€ 60,00</span><span class=product-price>€ 49<sup>90</sup></span><form action=/cart></form>""",
         "Aria tas", "49.90 EUR", "Blauwshop", None),
    Made("loose_offer", "",
         """<link rel=canonical href=https://www.blueshop.com/aria><div itemscope itemtype=https://schema.org/Product><h1 itemprop=name>Aria</h1>
         <img itemprop=image src=/l.jpg></div><div itemscope itemtype=https://schema.org/Offer><meta itemprop=price content=49.90>
         <meta itemprop=priceCurrency content=EUR></div>""",
         "Aria", "49.90 EUR", "blueshop", "/l.jpg"),
    Made("a_carousels_product_before_its_own", "",
         """<link rel=canonical href=https://www.blueshop.com/aria><title>Aria Tote | Blueshop</title>
         <script type="application/ld+json">{"@type":"Product","name":"Other","image":"/o.jpg","offers":{"price":"1.00","priceCurrency":"EUR"}}</script>
         <script type="application/ld+json">{"@type":"Product","name":"Aria  Tote","image":"/a.jpg","offers":{"price":"49.90","priceCurrency":"EUR"}}</script><h1>Aria Tote</h1>""",
         "Aria Tote", "49.90 EUR", "Blueshop", "/a.jpg"),
    Made("a_book_is_sold", "",
         """<link rel=canonical href=https://www.bluebooks.fr/aria><script type="application/ld+json">{"@type":"Book","name":"L\\'Aria","image":"/b.jpg",
         "offers":{"@type":"Offer","price":"19,90","priceCurrency":"€"}}</script>""",
         "L'Aria", "19.90 EUR", "bluebooks", "/b.jpg"),
    Made("euc_jp", "",
         """<html lang=ja><meta charset=euc-jp><link rel=canonical href=https://item.aoimise.co.jp/aria/bag/><title>アリア バッグ：青い店</title>
         <meta property=og:site_name content="青い店"><span class=item_name><h1>アリア バッグ</h1></span><span class=price2>1,980円</span>
         <img itemprop=image src=/j.jpg><form action=/cart></form>""",
         "アリア バッグ", "1980 JPY", "青い店", "/j.jpg", encoding="euc_jp"),
    Made("shift_jis", "",
         """<html lang=ja><head><meta http-equiv=Content-Type content="text/html; charset=Shift_JIS"><link rel=canonical href=https://www.aoimise.jp/p/1></head>
         <meta property=og:site_name content="青い店"><h1>アリア</h1><p class=item-price>￥12,800（税込）</p><img itemprop=image src=/s.jpg><a class=add-to-cart>カートに入れる</a>""",
         "アリア", "12800 JPY", "青い店", "/s.jpg", encoding="shift_jis"),
    Made("gbk", "",
         """<html><head><meta charset=gbk><link rel=canonical href=https://item.taobao.com/item.htm?id=562283240178></head><h3 class=tb-main-title data-title=x>阿丽亚 包</h3>
         <strong id=J_StrPrice><em class=tb-rmb>&yen;</em><em class=tb-rmb-num>149.00 - 159.00</em></strong><a class=tb-seller-name href=//x.taobao.com>蓝店</a>
         <img id=J_ImgBooth src=//gd1.alicdn.com/a.jpg_400x400.jpg>""",
         "阿丽亚 包", "149.00 CNY", "蓝店", "/a.jpg", encoding="gbk"),
    Made("vendor_on_a_martfury_page", "",
         """<link rel=canonical href=https://bluemarket.tn/produit/sac-aria/><link href=/wp-content/plugins/woocommerce/a.css><body class="single-product">
         <div class=related><li class=product><div class=sold-by-meta><a href=https://bluemarket.tn/store/autre/>AUTRE</a></div></li></div>
         <div class="product type-product product_tag-recommended product_cat-related"><div class="summary entry-summary"><h1 class=product_title>Sac Aria</h1><div class=sold-by-meta><span>Vendu par :</span> <a href=https://bluemarket.tn/store/azul/>AZUL</a></div>
         <p class=price><ins><span class="woocommerce-Price-amount amount"><bdi>369.0&nbsp;<span>DT</span></bdi></span></ins><del><span class=amount><bdi>399.0&nbsp;DT</bdi></span></del></p></div>
         <div class=woocommerce-product-gallery__image><a href=https://bluemarket.tn/g.jpg></a></div></body>""",
         "Sac Aria", "369.0 TND", "AZUL", "/g.jpg"),
]  # fmt: skip

_CARD = """<meta property=og:type content=product><meta property=product:price:amount content={0}><meta property=product:price:currency content=TND>
<div class=product><article class="product-miniature js-product-miniature" itemscope itemtype=http://schema.org/Product><a href=/{0}-x.html><img data-original=/{0}.jpg src="data:image/svg+xml,x"></a>
<h2 class="h3 product-title" itemprop=name><a href=/{0}-x.html>Aria {0}</a></h2><div class=product-price-and-shipping><span class=price>{0},000 TND<br></span>
<div itemprop=offers itemscope itemtype=http://schema.org/Offer><meta itemprop=price content={0}><meta itemprop=priceCurrency content=TND></div></div></article></div>"""
_ITEMS = {"@type": "ItemList", "itemListElement": [
    {"@type": "ListItem", "position": n, "name": f"Aria {n}", "url": f"https://blueshop.tn/{n}-x.html"} for n in (279, 339, 359)]}  # fmt: skip

#: Pages of results without an address: kind, page, cards, how many of them with price and picture.
RESULTS = {
    "prestashop_category_with_a_preview_per_card": ("prestashop",
        "<link rel=canonical href=https://blueshop.tn/25-sacs><script>var prestashop = {}</script><body id=category class=page-category>"
        + "".join(_CARD.format(n) for n in (279, 339, 359)) + "</body>", 3, 3),
    "prestashop_list_in_data_without_prices": ("prestashop",
        "<link rel=canonical href=https://blueshop.tn/25-sacs><script>var prestashop = {}</script>"
        f'<script type="application/ld+json">{json.dumps(_ITEMS)}</script><body id=category>' + "".join(_CARD.format(n) for n in (279, 339, 359))
        + "<div class=slick-slide>" + _CARD.format(99) + "</div></body>", 3, 3),
    "prestashop_names_with_an_underscore": ("prestashop",
        "<link rel=canonical href=https://blueshop.tn/25-sacs><script>var prestashop = {}</script><body id=category>" + "".join(
        f"<div class='item-inner product-miniature js-product-miniature'><a href=/{n}-x.html><img src=/{n}.jpg></a><h2 class=product_name><a href=/{n}-x.html>Aria</a></h2>"
        f"<span class=price>{n},000 DT</span></div>" for n in (279, 339)) + "</body>", 2, 2),
    "woocommerce_martfury": ("woocommerce",
        "<link rel=canonical href=https://bluemarket.tn/c/sacs/><link href=/wp-content/plugins/woocommerce/a.css><body class='archive tax-product_cat'><ul class=products>" + "".join(
        f"<li class='product type-product'><a href=/produit/{n}/><img class=lazyloaded src=/{n}.jpg></a><a href='?add-to-cart={n}'>+</a><h2 class=woo-loop-product__title><a href=/produit/{n}/>Aria</a></h2>"
        f"<span class=price><ins><span class=amount>{n}.0 DT</span></ins><del><span class=amount>999.0 DT</span></del></span></li>" for n in (369, 399)) + "</ul></body>", 2, 2),
    "aliexpress_ru_snippets": ("aliexpress",
        "<link rel=canonical href=https://aliexpress.ru/popular/сумки>" + "".join(
        f"<div data-product-id={n} class=product-snippet_ProductSnippet__content__1x><a href='/item/{n}.html?sku_id=1'><img src=//ae04.alicdn.com/{n}.jpg></a>"
        f"<a href='/item/{n}.html'><div class=product-snippet_ProductSnippet__name__1x>Ария</div></a><div class=snow-price_SnowPrice__mainM__1x>1 234,56 ₽</div></div>"
        for n in (1005001234567890, 1005001234567891)), 2, 2),
    "mercari_drawn_without_an_address": ("mercari",
        "".join(f"<link href=https://web-jp-assets-v2.mercdn.net/_next/{n}.css>" for n in range(20)) + "<a href=https://help.jp.mercari.com>?</a>" + "".join(
        f"<li data-testid=item-cell><a href=/item/m{n}><div role=img aria-label='アリアの画像 4,500円'><img src=https://static.mercdn.net/{n}.jpg></div><span class=merPrice>¥4,500</span></a></li>"
        for n in (12345678901, 12345678902)), 2, 2),
}  # fmt: skip

#: Searches that found nothing.
EMPTY = {
    "mercari": "".join(f"<link href=https://web-jp-assets-v2.mercdn.net/_next/{n}.css>" for n in range(20))
    + "<div id=search-result><h1>4549995539073 の検索結果</h1><p>出品された商品がありません</p></div>",
    "woocommerce": "<link href=/wp-content/plugins/woocommerce/a.css><body class='search-results'><h1>Aria</h1><p>Aucun produit ne correspond</p></body>",
}  # fmt: skip
