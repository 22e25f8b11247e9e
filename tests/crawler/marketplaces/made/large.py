# ruff: noqa: E501
"""Listings of the large marketplaces of the West, layout by layout."""

from __future__ import annotations

import json

from tests.crawler.marketplaces.made import Made

#: What stands on every page before the item: prices that are not its own.
CAROUSEL = """<div class="carousel"><div class="item"><span class="price a-price"><span
class="a-offscreen">$1.11</span></span><a href="/ad">Another bag</a></div></div>"""

AMAZON = [
    Made(
        "amazon_2016",
        "https://www.amazon.com/Velaro-Aria/dp/B0ABCDEF12",
        f"""<html lang=en-us>{CAROUSEL}<h1 id=title><span id=productTitle class=a-size-large>
        Velaro Aria Tote </span></h1><a id=brand href=/velaro>Velaro</a>
        <table><tr><td>List Price:</td><td class=a-text-strike>$99.00</td></tr></table>
        <span id=priceblock_ourprice class=a-color-price>$1,249.90</span>
        <div id=availability><span class=a-color-success>In Stock.</span></div>
        <div id=merchant-info>Sold by <a href="/gp/help/seller/at-a-glance.html?seller=A1B2C3">
        Blue Store</a> and <a href=/fba>Fulfilled by Amazon</a>.</div>
        <div id=imgTagWrapperId><img id=landingImage src="data:image/jpeg;base64,AAAA"
        data-old-hires="" data-a-dynamic-image='{{"https://m.media-amazon.com/images/I/7a._SX300_.jpg":[300,300],"https://m.media-amazon.com/images/I/7a._SX679_.jpg":[679,679]}}'></div>""",
        "Velaro Aria Tote", "1249.90 USD", "Blue Store", "7a._SX679_.jpg", "InStock", "Velaro",
    ),
    Made(
        "amazon_deal_de",
        "https://www.amazon.de/gp/product/B0ABCDEF12?th=1",
        f"""<html lang=de-de>{CAROUSEL}<span id=productTitle>Velaro Tasche</span>
        <span id=priceblock_ourprice>EUR 1.310,00</span>
        <span id=priceblock_dealprice>1.199,00&nbsp;€</span>
        <div id=merchant-info>Verkauf und Versand durch Amazon. Für weitere Informationen</div>
        <div id=availability><span>Derzeit nicht verfügbar.</span></div>
        <a id=bylineInfo>Marke: Velaro</a>
        <img id=landingImage src=https://m.media-amazon.com/x.jpg data-old-hires=https://m.media-amazon.com/x._SL1500_.jpg>""",
        "Velaro Tasche", "1199.00 EUR", "Amazon", "x._SL1500_.jpg", "OutOfStock", "Velaro",
    ),
    Made(
        "amazon_2024_parts",
        "https://www.amazon.com.mx/dp/B0ABCDEF12",
        f"""<html lang=es-mx>{CAROUSEL}<span id=productTitle>Bolsa Velaro</span>
        <div id=corePriceDisplay_desktop_feature_div><span class="a-price aok-align-center priceToPay"
        ><span class=a-offscreen> </span><span aria-hidden=true><span class=a-price-symbol>$</span
        ><span class=a-price-whole>1,249<span class=a-price-decimal>.</span></span><span
        class=a-price-fraction>50</span></span></span>
        <span class="a-price a-text-price"><span class=a-offscreen>$2,000.00</span></span></div>
        <div offer-display-feature-name=desktop-merchant-info class=offer-display-feature-text>
        <span class=offer-display-feature-text-message>Amazon México</span></div>
        <a id=bylineInfo>Visita la tienda de Velaro</a>
        <div id=imgTagWrapperId><img src=https://m.media-amazon.com/y.jpg></div>
        <input id=add-to-cart-button type=submit>""",
        "Bolsa Velaro", "1249.50 MXN", "Amazon México", "/y.jpg", "InStock", "Velaro",
    ),
    Made(
        "amazon_ca_tabular",
        "https://www.amazon.ca/dp/B0ABCDEF12/",
        """<span id=productTitle>Velaro Bag</span><div id=corePrice_feature_div><span class=a-price>
        <span class=a-offscreen>$49.99</span></span></div><div id=tabular-buybox><div
        class=tabular-buybox-container><span>Sold by</span><a id=sellerProfileTriggerId
        href="/sp?seller=AXYZ">North Goods</a></div></div>
        <img id=imgBlkFront src=https://images-na.ssl-images-amazon.com/images/I/z.jpg>""",
        "Velaro Bag", "49.99 CAD", "North Goods", "/z.jpg",
    ),
    Made(
        "amazon_jp",
        "https://www.amazon.co.jp/dp/B0ABCDEF12",
        """<html lang=ja-jp><span id=productTitle>ヴェラロ バッグ</span><span id=priceblock_ourprice>￥ 12,800</span>
        <div id=merchant-info>この商品は、青い店 が販売し、Amazon.co.jp が発送します。</div>
        <a id=bylineInfo>ヴェラロのストアを表示</a><div id=availability>在庫あり。</div>
        <img id=landingImage data-old-hires=https://m.media-amazon.com/j.jpg>""",
        "ヴェラロ バッグ", "12800 JPY", "青い店", "/j.jpg", "InStock", "ヴェラロ",
    ),
    Made(
        "amazon_unavailable",
        "https://www.amazon.com/dp/B0ABCDEF12",
        f"""{CAROUSEL}<span id=productTitle>Velaro Aria</span><div id=outOfStock>Currently unavailable.</div>
        <img id=landingImage data-old-hires=https://m.media-amazon.com/u.jpg>
        <div id=similarities><span class=a-price><span class=a-offscreen>$3.00</span></span></div>""",
        "Velaro Aria", None, None, "/u.jpg", "OutOfStock",
    ),
]  # fmt: skip

EBAY = [
    Made(
        "ebay_2016_sale",
        "https://www.ebay.co.uk/itm/Velaro-Aria/123456789012",
        """<h1 id=itemTitle class=it-ttl><span class=g-hdn>Details about &nbsp;</span>Velaro Aria Bag</h1>
        <span id=orgPrc>£90.00</span><span id=mm-saleDscPrc>£45.50</span><div id=vi-itm-cond>Used</div>
        <div class=mbg><a id=mbgLink href=http://www.ebay.co.uk/usr/blue_store><span class=mbg-nw>blue_store</span></a></div>
        <img id=icImg src=https://i.ebayimg.com/images/g/abc/s-l300.jpg>
        <div id=itemLocation>Item location: Leeds, United Kingdom</div>""",
        "Velaro Aria Bag", "45.50 GBP", "blue_store", "/s-l1600.jpg", ships_from="Leeds, United Kingdom", condition="used",
    ),
    Made(
        "ebay_2024_auction",
        "https://www.ebay.com/itm/123456789012",
        """<h1 class=x-item-title__mainTitle><span class=ux-textspans>Velaro Aria</span></h1>
        <div class=x-price-primary><span class=ux-textspans>AU $12.50</span></div>
        <div class=x-price-approx>Approximately US $8.00</div>
        <div class=x-sellercard-atf><div class=x-sellercard-atf__info__about-seller><a
        href="https://www.ebay.com/str/bluestore?_trk=1"><span>Blue Store</span></a> (1234)</div></div>
        <div class=ux-image-carousel-item><img data-zoom-src=https://i.ebayimg.com/images/g/q/s-l1600.webp></div>
        <div class=x-item-condition-text><span class=ux-textspans>Pre-owned</span></div>
        <div class=x-quantity__availability>Out of stock</div>""",
        "Velaro Aria", "12.50 AUD", "Blue Store", "/s-l1600.webp", "OutOfStock", condition="used",
    ),
    Made(
        "ebay_bid",
        "https://www.ebay.fr/itm/123456789012",
        """<h1 id=itemTitle>Sac Velaro</h1><span id=prcIsum_bidPrice class=notranslate>29,99 EUR</span>
        <span class=mbg-nw>vendeur_bleu</span><img id=icImg src=//i.ebayimg.com/images/g/k/s-l500.jpg>""",
        "Sac Velaro", "29.99 EUR", "vendeur_bleu", "/s-l1600.jpg",
    ),
]  # fmt: skip

ETSY = [
    Made(
        "etsy_2025",
        "https://www.etsy.com/listing/1234567890/aria-tote",
        """<html lang=en-GB><h1 data-buy-box-listing-title=true>Aria tote, hand made</h1>
        <div data-buy-box-region=price><div data-selector=price-only><p class="wt-text-title-larger">
        <span class=wt-screen-reader-only>Price:</span> £42.00+</p></div></div>
        <a class=wt-text-link-no-underline href=https://www.etsy.com/shop/BlueStore?ref=x><span>BlueStore</span></a>
        <div data-seller-cred><a href=/shop/BlueStore>BlueStore</a></div>
        <ul><li data-carousel-pane><img data-src-zoom-image=https://i.etsystatic.com/1/il_fullxfull.1.jpg></li></ul>
        <script type=application/ld+json>{"@type":"Product","name":"Aria tote","brand":{"@type":"Brand",
        "name":"BlueStore"},"offers":{"@type":"AggregateOffer","lowPrice":"42.00","highPrice":"60.00",
        "priceCurrency":"GBP","availability":"https://schema.org/InStock"}}</script>""",
        "Aria tote, hand made", "42.00 GBP", "BlueStore", "il_fullxfull.1.jpg", "InStock",
    ),
]  # fmt: skip

_WALMART = {
    "props": {"pageProps": {"initialData": {"data": {"product": {
        "name": "Velaro Aria Bag", "brand": "Velaro", "sellerName": "Blue Store LLC",
        "sellerDisplayName": "Blue Store", "sellerId": "ABC", "availabilityStatus": "IN_STOCK",
        "imageInfo": {"allImages": [{"url": "https://i5.walmartimages.com/a.jpeg"}]},
        "priceInfo": {"currentPrice": {"price": 49.5, "currencyUnit": "USD", "priceString": "$49.50"}},
    }}}}}
}  # fmt: skip
_WALMART_OLD = {
    "product": {
        "primaryProduct": "P1",
        "products": {"P0": {"productAttributes": {"productName": "Other"}},
                     "P1": {"productAttributes": {"productName": "Velaro Aria", "brand": "Velaro"}}},
        "offers": {"O1": {"pricesInfo": {"priceMap": {"CURRENT": {"price": 15.25, "currencyUnit": "USD"}}},
                          "productAvailability": {"availabilityStatus": "OUT_OF_STOCK"}}},
        "sellers": {"S1": {"sellerDisplayName": "Walmart.com", "sellerId": "F5"}},
        "images": {"I1": {"assetSizeUrls": {"main": "https://i5.walmartimages.com/b.jpeg"}}},
    }
}  # fmt: skip
WALMART = [
    Made(
        "walmart_next",
        "https://www.walmart.com/ip/Velaro-Aria/123456789",
        f"""{CAROUSEL}<script id=__NEXT_DATA__ type=application/json>{json.dumps(_WALMART)}</script>""",
        "Velaro Aria Bag", "49.5 USD", "Blue Store", "/a.jpeg", "InStock", "Velaro",
    ),
    Made(
        "walmart_redux",
        "https://www.walmart.com/ip/123456789",
        f"<script>window.__WML_REDUX_INITIAL_STATE__ = {json.dumps(_WALMART_OLD)};</script>",
        "Velaro Aria", "15.25 USD", "Walmart.com", "/b.jpeg", "OutOfStock", "Velaro",
    ),
    Made(
        "walmart_markup",
        "https://www.walmart.com/ip/Aria/123456789",
        """<h1 class=prod-ProductTitle itemprop=name>Velaro Aria</h1><div class=prod-PriceHero><span
        class=price-group>$<span class=price-characteristic content=19.88>19</span>.<span>88</span></span></div>
        <a class=seller-name href=/seller/77>Blue Store</a>
        <img class=prod-hero-image-image src=//i5.walmartimages.com/c.jpeg>""",
        "Velaro Aria", "19.88 USD", "Blue Store", "/c.jpeg",
    ),
]  # fmt: skip

MERCADO = [
    Made(
        "mercadolibre_2025",
        "https://articulo.mercadolibre.com.ar/MLA-1234567890-cartera-velaro-_JM",
        """<html lang=es-AR><div class=ui-recommendations><span class=andes-money-amount__fraction>1</span></div>
        <div class=ui-pdp-header__subtitle><span class=ui-pdp-subtitle>Nuevo | +100 vendidos</span></div>
        <h1 class=ui-pdp-title>Cartera Velaro Aria</h1>
        <div class=ui-pdp-price__main-container><s class="andes-money-amount andes-money-amount--previous"><span
        class=andes-money-amount__fraction>99.999</span></s><div class=ui-pdp-price__second-line><span
        class=andes-money-amount><meta itemprop=price content=45999.5><span
        class=andes-money-amount__currency-symbol>$</span><span class=andes-money-amount__fraction>45.999</span>
        <span class=andes-money-amount__cents>50</span></span></div></div>
        <div class=ui-pdp-seller__header__title>Vendido por <a href=https://perfil.mercadolibre.com.ar/perfil/AZUL>TIENDA AZUL</a></div>
        <figure class=ui-pdp-gallery__figure><img class=ui-pdp-gallery__figure__image src=https://http2.mlstatic.com/s.webp
        data-zoom=https://http2.mlstatic.com/z.webp></figure>
        <span class=ui-pdp-buybox__quantity__available>(5 disponibles)</span>""",
        "Cartera Velaro Aria", "45999.50 ARS", "TIENDA AZUL", "/z.webp", "InStock", condition="new",
    ),
    Made(
        "mercadolivre_br",
        "https://produto.mercadolivre.com.br/MLB-1234567890-bolsa-_JM",
        """<html lang=pt-BR><h1 class=ui-pdp-title>Bolsa Velaro</h1><div class=ui-pdp-price__second-line><span
        class=andes-money-amount><span class=andes-money-amount__currency-symbol>R$</span><span
        class=andes-money-amount__fraction>1.249</span></span></div><span class=ui-seller-data-header__title>Loja oficial
        Azul</span><img class=ui-pdp-gallery__figure__image src=https://http2.mlstatic.com/b.webp>""",
        "Bolsa Velaro", "1249 BRL", "Azul", "/b.webp",
    ),
    Made(
        "mercadolibre_2017",
        "https://articulo.mercadolibre.com.mx/MLM-123456789-bolsa-_JM",
        """<h1 class=item-title__primary>Bolsa Velaro Aria</h1><span class="price-tag item-price"><span
        class=price-tag-symbol content=349>$</span><span class=price-tag-fraction>349</span><span
        class=price-tag-cents>90</span></span><div class=item-price><span class=price-tag><span
        class=price-tag-symbol>$</span><span class=price-tag-fraction>349</span><span class=price-tag-cents>90</span></span></div>
        <div class=official-store-info><p class=title>Tienda oficial Azul</p></div>
        <figure class=gallery-image-container><a href=https://http2.mlstatic.com/F.jpg><img src=https://http2.mlstatic.com/O.jpg></a></figure>
        <div class=item-conditions>Usado - 3 vendidos</div>""",
        "Bolsa Velaro Aria", "349.90 MXN", "Azul", "/O.jpg", condition="used",
    ),
]  # fmt: skip

KLEINANZEIGEN = [
    Made(
        "kleinanzeigen_ad",
        "https://www.kleinanzeigen.de/s-anzeige/velaro-tasche/1234567890-156-3331",
        """<h1 id=viewad-title><span class="pvap-reserved-title is-hidden">Reserviert &bull;</span> Velaro Tasche</h1>
        <h2 id=viewad-price>1.200 € VB</h2><div id=viewad-locality>10115 Berlin - Mitte</div>
        <div id=viewad-contact><span class=userprofile-vip><a href="/s-bestandsliste.html?userId=555">Anna</a></span></div>
        <div class=galleryimage-element><img data-imgsrc=https://img.kleinanzeigen.de/a.jpg src=data:x></div>
        <ul id=viewad-details><li class=addetailslist--detail>Zustand <span class=addetailslist--detail--value>Sehr Gut</span></li></ul>""",
        "Velaro Tasche", "1200 EUR", "Anna", "/a.jpg", "InStock", ships_from="10115 Berlin - Mitte", condition="used",
    ),
]  # fmt: skip

_FACEBOOK = {
    "marketplace_product_details_page": {"target": {
        "marketplace_listing_title": "Velaro \u201cAria\u201d bag", "is_sold": False,
        "listing_price": {"amount": "120.00", "currency": "EUR", "formatted_amount": "120 €"},
        "marketplace_listing_seller": {"__typename": "User", "name": "Ana Azul", "id": "777"},
        "listing_photos": [{"image": {"uri": "https://scontent.example/p.jpg"}}],
        "location_text": {"text": "Lisboa"}, "redacted_description": {"text": "As new"},
    }}
}  # fmt: skip
FACEBOOK = [
    Made(
        "facebook_state",
        "https://www.facebook.com/marketplace/item/1234567890123456/",
        f"<title>Facebook</title><script type=application/json data-sjs>{json.dumps(_FACEBOOK)}</script>",
        "Velaro “Aria” bag", "120.00 EUR", "Ana Azul", "/p.jpg", "InStock", ships_from="Lisboa",
    ),
]  # fmt: skip

OTHERS = [
    Made(
        "bestbuy_2023",
        "https://www.bestbuy.com/site/velaro-aria/6501902.p?skuId=6501902",
        """<div class=sku-title><h1 class=heading-5>Velaro - Aria Speaker</h1></div>
        <div class="priceView-hero-price priceView-customer-price"><span aria-hidden=true>$79.99</span><span
        class=sr-only>Your price for this item is $79.99</span></div>
        <img class=primary-image src=https://pisces.bbystatic.com/a.jpg>
        <div class=fulfillment-add-to-cart-button><button>Sold Out</button></div>""",
        "Velaro - Aria Speaker", "79.99 USD", "Best Buy", "/a.jpg", "OutOfStock",
    ),
    Made(
        "mercari_2018",
        "https://www.mercari.com/jp/items/m12345678901/",
        """<h1 class=item-name>ヴェラロ</h1><span class="item-price bold">¥ 3,300</span>
        <table class=item-detail-table><tr><th>出品者</th><td><a href=https://www.mercari.com/jp/u/123/>青い人</a></td></tr></table>
        <div class=owl-item><div class=item-photo><img data-src=https://static.mercdn.net/a.jpg></div></div>
        <a class=item-buy-btn>購入画面に進む</a>""",
        "ヴェラロ", "3300 JPY", "青い人", "/a.jpg", "InStock",
    ),
]  # fmt: skip

PAGES = [*AMAZON, *EBAY, *ETSY, *WALMART, *MERCADO, *KLEINANZEIGEN, *FACEBOOK, *OTHERS]
