"""What is known of each kind of marketplace: addresses, page objects, checkout recipe.

A kind is one module with a ``DEFINITION``. `identify` tells a page's kind by its host, else
by what its platform leaves in every page; `schema.org` takes any shop.
"""

from collections.abc import Mapping
from types import MappingProxyType

from crawler.marketplaces import (
    alibaba1688,
    aliexpress,
    amazon,
    bazaar,
    bestbuy,
    dhgate,
    ebay,
    etsy,
    facebook,
    kleinanzeigen,
    lazada,
    magento,
    mercadolibre,
    mercari,
    oscar,
    prestashop,
    schema_org,
    shopee,
    shopify,
    taobao,
    walmart,
    woocommerce,
)
from crawler.marketplaces.definition import Definition

KINDS: Mapping[str, Definition] = MappingProxyType(
    {
        definition.kind: definition
        for definition in (
            bazaar.DEFINITION,
            oscar.DEFINITION,
            schema_org.DEFINITION,
            shopify.DEFINITION,
            woocommerce.DEFINITION,
            magento.DEFINITION,
            prestashop.DEFINITION,
            amazon.DEFINITION,
            ebay.DEFINITION,
            aliexpress.DEFINITION,
            alibaba1688.DEFINITION,
            taobao.TAOBAO,
            taobao.TMALL,
            dhgate.DEFINITION,
            shopee.DEFINITION,
            lazada.DEFINITION,
            mercadolibre.DEFINITION,
            etsy.DEFINITION,
            walmart.DEFINITION,
            kleinanzeigen.DEFINITION,
            mercari.DEFINITION,
            bestbuy.DEFINITION,
            facebook.DEFINITION,
        )
    }
)

__all__ = ["KINDS", "Definition"]
