# ruff: noqa: E501
"""Listings of the large marketplaces of Asia, layout by layout."""

from __future__ import annotations

import json

from tests.crawler.marketplaces.made import Made

_COMPONENTS = {
    "productInfoComponent": {"subject": "Velaro Aria Bag", "id": 1005001234567890},
    "priceComponent": {"discountPrice": {"minActivityAmount": {"currency": "USD", "value": 12.34}},
                       "origPrice": {"minAmount": {"currency": "USD", "value": 50}}},
    "sellerComponent": {"storeName": "Blue Store", "storeNum": 912345, "storeURL": "//www.aliexpress.com/store/912345"},
    "imageComponent": {"imagePathList": ["https://ae01.alicdn.com/kf/a.jpg_640x640.jpg"]},
    "inventoryComponent": {"totalAvailQuantity": 0},
    "productPropComponent": {"props": [{"attrName": "Brand Name", "attrValue": "Velaro"}]},
}  # fmt: skip
ALIEXPRESS = [
    Made(
        "aliexpress_2015",
        "https://www.aliexpress.com/item/Velaro-Aria/32123456789.html",
        """<h1 class=product-name itemprop=name>Velaro Aria Bag</h1><span class=p-symbol itemprop=priceCurrency
        content=USD>US $</span><del><span id=j-sku-price>90.00</span></del><span id=j-sku-discount-price>
        <span itemprop=lowPrice>45.00</span> - <span itemprop=highPrice>60.00</span></span>
        <meta itemprop=brand content=AliExpress.com>
        <span class=shop-name><a href=//www.aliexpress.com/store/1234567>Blue Store</a></span>
        <div id=magnifier><img src=https://ae01.alicdn.com/kf/b.jpg_640x640.jpg></div>""",
        "Velaro Aria Bag", "45.00 USD", "Blue Store", "/kf/b.jpg",
    ),
    Made(
        "aliexpress_components",
        "https://de.aliexpress.com/item/1005001234567890.html",
        f"<meta property=og:title content='$12.34 75% OFF|Velaro Aria Bag'><script>window.runParams = {{\n data: {json.dumps(_COMPONENTS)},\n csrfToken: 'x' }};</script>",
        "Velaro Aria Bag", "12.34 USD", "Blue Store", "/kf/a.jpg", "OutOfStock", "Velaro",
    ),
    Made(
        "aliexpress_2024_drawn",
        "https://www.aliexpress.com/item/1005001234567890.html",
        """<script>window.runParams = {};</script><div class=product-recommend><span class=price>$0.99</span></div>
        <h1 data-pl=product-title>Velaro Aria</h1><div class="price--current--abc"><span
        class="price--currentPriceText--xyz">€1.234,50</span></div>
        <div class="store-header--storeName--q"><a href=//www.aliexpress.com/store/55 >Blue Store</a></div>
        <div class="slider--img--k"><img src=https://ae01.alicdn.com/kf/c.jpg_220x220q75.jpg_.avif></div>""",
        "Velaro Aria", "1234.50 EUR", "Blue Store", "/kf/c.jpg",
    ),
]  # fmt: skip

_TSHOP = {
    "itemDO": {"title": "青色包", "sellerNickName": "%E8%93%9D%E5%BA%97", "userId": "99", "brand": "Velaro", "reservePrice": "299.00"},
    "detail": {"defaultItemPrice": "199.00 - 259.00"},
    "propertyPics": {"default": ["//img.alicdn.com/imgextra/i1/a.jpg"]},
}  # fmt: skip
_PC = {
    "loaderData": {"home": {"data": {"res": {
        "item": {"title": "青色包 新款", "images": ["//img.alicdn.com/n.jpg"]},
        "seller": {"shopName": "蓝店", "sellerNick": "蓝店旗舰", "sellerId": "77"},
        "componentsVO": {"priceVO": {"price": {"priceText": "59"}, "extraPrice": {"priceText": "39.9"}}},
    }}}}
}  # fmt: skip
TAOBAO = [
    Made(
        "tmall_2016_gbk",
        "https://detail.tmall.com/item.htm?spm=a1&id=562283240178",
        f"""<meta charset=gbk><div class=tb-detail-hd><h1 data-spm=1> 青色包 春季 </h1></div>
        <dl class=tm-promo-panel><span class=tm-price>169.00</span></dl>
        <a class=slogo-shopname href=//lan.tmall.com><strong>蓝店旗舰店</strong></a>
        <img id=J_ImgBooth src=//img.alicdn.com/b.jpg_430x430q90.jpg>
        <ul id=J_AttrUL><li>品牌: Velaro</li></ul>
        <script>TShop.Setup({json.dumps(_TSHOP)});</script>""",
        "青色包 春季", "169.00 CNY", "蓝店", "/a.jpg", brand="Velaro", encoding="gbk",
    ),
    Made(
        "tmall_said_gbk_saved_utf8",
        "https://detail.tmall.com/item.htm?id=562283240178",
        """<meta charset=gbk><div class=tb-detail-hd><h1>青色包</h1></div><div id=J_StrPriceModBox><span class=tm-price>88.00</span></div>
        <input name=seller_nickname value=蓝店><img id=J_ImgBooth src=//img.alicdn.com/c.jpg>""",
        "青色包", "88.00 CNY", "蓝店", "/c.jpg",
    ),
    Made(
        "taobao_2024",
        "https://item.taobao.com/item.htm?id=562283240178&skuId=1",
        f"<h1 class='mainTitle--abc'>青色包 新款</h1><script>window.__ICE_APP_CONTEXT__ = {json.dumps(_PC)};</script>",
        "青色包 新款", "39.9 CNY", "蓝店旗舰", "/n.jpg",
    ),
]  # fmt: skip

_INIT = {
    "data": {"1": {"data": {"skuPriceScale": "12.50-18.00"}}},
    "globalData": {"tempModel": {"offerTitle": "厂家直销 青色包", "companyName": "蓝色皮具厂", "sellerLoginId": "lan88"},
                   "images": [{"fullPathImageURI": "https://cbu01.alicdn.com/img/ibank/a.jpg"}]},
}  # fmt: skip
A1688 = [
    Made(
        "1688_init_data",
        "https://detail.1688.com/offer/612345678901.html",
        f"<script>window.__INIT_DATA={json.dumps(_INIT)}</script>",
        "厂家直销 青色包", "12.50 CNY", "蓝色皮具厂", "/a.jpg",
    ),
    Made(
        "1688_2016",
        "https://detail.1688.com/offer/512345678901.html",
        """<meta property=og:product:price content=9.80><meta property=og:product:nick content="name=蓝色皮具厂; url= http://lan.1688.com">
        <div id=mod-detail-title><h1 class=d-title>青色包 批发</h1></div><div class=mod-detail-price><div class=price><span
        class=value>9.80</span><span class=value>7.20</span></div></div>
        <div class=mod-detail-gallery><div class=box-img><img src=https://cbu01.alicdn.com/b.400x400.jpg></div></div>""",
        "青色包 批发", "9.80 CNY", "蓝色皮具厂", "/b.jpg",
    ),
]  # fmt: skip

_LAZADA = {"data": {"root": {"fields": {
    "product": {"title": "Velaro Aria Bag", "brand": {"name": "Velaro"}},
    "skuInfos": {"0": {"price": {"salePrice": {"text": "₱1,299.00", "value": 1299}}, "stock": 3}},
    "skuGalleries": {"0": [{"type": "img", "src": "//ph-live.slatic.net/a.jpg"}]},
    "seller": {"name": "Blue Store PH", "sellerId": 5, "url": "//www.lazada.com.ph/shop/blue"},
}}}}  # fmt: skip
LAZADA = [
    Made(
        "lazada_module_data",
        "https://www.lazada.com.ph/products/velaro-aria-i123456789-s98765.html",
        f"<script>var __moduleData__ = {json.dumps(_LAZADA)};</script>",
        "Velaro Aria Bag", "1299.00 PHP", "Blue Store PH", "/a.jpg", "InStock", "Velaro",
    ),
    Made(
        "lazada_drawn_id",
        "https://www.lazada.co.id/products/tas-i123456789.html",
        """<h1 class=pdp-mod-product-badge-title>Tas Velaro</h1><div class=pdp-mod-product-price><span
        class="pdp-price pdp-price_type_normal">Rp1.299.000</span><span class="pdp-price pdp-price_type_deleted">Rp2.000.000</span></div>
        <a class=seller-name__detail-name href=/shop/biru>Toko Biru</a>
        <img class="pdp-mod-common-image gallery-preview-panel__image" src=//id-live.slatic.net/b.jpg>""",
        "Tas Velaro", "1299000 IDR", "Toko Biru", "/b.jpg",
    ),
]  # fmt: skip

_SHOPEE = {"data": {"item": {"itemid": 9876543210, "shopid": 55, "title": "Velaro Aria", "price": 4990000,
    "price_min": 4990000, "currency": "MYR", "image": "abc123", "images": ["abc123", "def"], "stock": 4,
    "brand": "Velaro", "shop_location": "Johor"}, "shop_detailed": {"shopid": 55, "name": "Blue Store MY"}}}  # fmt: skip
SHOPEE = [
    Made(
        "shopee_api",
        "https://shopee.com.my/api/v4/pdp/get_pc?itemid=9876543210&shop_id=55",
        json.dumps(_SHOPEE),
        "Velaro Aria", "49.9 MYR", "Blue Store MY", "/file/abc123", "InStock", "Velaro", ships_from="Johor",
    ),
    Made(
        "shopee_json_ld",
        "https://shopee.vn/Tui-Velaro-i.55.9876543210",
        """<script type=application/ld+json>{"@context":"http://schema.org","@type":"Product","name":"Túi Velaro",
        "image":"https://cf.shopee.vn/file/x1","offers":{"@type":"AggregateOffer","priceCurrency":"VND","lowPrice":"450000.00",
        "highPrice":"600000.00","availability":"http://schema.org/InStock"}}</script><div class=VlDReK>Cửa hàng xanh</div>""",
        "Túi Velaro", "450000.00 VND", "Cửa hàng xanh", "/x1", "InStock",
    ),
]  # fmt: skip

DHGATE = [
    Made(
        "dhgate_2018",
        "https://www.dhgate.com/product/velaro-aria/412345678.html",
        """<h1 itemprop=name>Velaro Aria wholesale</h1><div class=wprice-line><ul class=js-wholesale-list>
        <li nums=1 price="US $25.00">US $25.00</li><li nums=50 price="US $19.90">US $19.90</li></ul></div>
        <a class=js-store-name href=https://www.dhgate.com/store/20512345>bluestore</a>
        <div class=bimg-inner><img src=//image.dhgate.com/0x0/a.jpg></div>""",
        "Velaro Aria wholesale", "19.90 USD", "bluestore", "/a.jpg",
    ),
    Made(
        "dhgate_2024",
        "https://www.dhgate.com/product/velaro-aria/1012345678.html",
        """<script type=application/ld+json>{"@type":"Product","name":"Velaro Aria","brand":{"name":"DHgate"},
        "image":["https://img4.dhresource.com/a.webp"],"offers":{"@type":"AggregateOffer","lowPrice":"17.55","priceCurrency":"USD"}}</script>
        <div class="productInfo_productInfo__x"><h1>Velaro Aria</h1></div>
        <div class="storeInfo_store__y"><a href=https://www.dhgate.com/store/214>Visit store</a><a href=https://www.dhgate.com/store/214>blue2024</a></div>""",
        "Velaro Aria", "17.55 USD", "blue2024", "/a.webp",
    ),
]  # fmt: skip

PAGES = [*ALIEXPRESS, *TAOBAO, *A1688, *LAZADA, *SHOPEE, *DHGATE]
