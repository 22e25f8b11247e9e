"""Template tag: a product as schema.org JSON-LD, with its partner as the seller."""

from __future__ import annotations

import json
from typing import Any

from django import template
from django.utils.html import strip_tags
from django.utils.safestring import SafeString, mark_safe
from oscar.core.loading import get_class

register = template.Library()
Selector = get_class("partner.strategy", "Selector")


@register.simple_tag(takes_context=True)
def product_jsonld(context: template.Context, product: Any) -> SafeString:
    """Return the script element for a product page.

    Parameters
    ----------
    context : template.Context
        Of the page; has the request.
    product : Product
        An oscar product with one stock record.
    """
    request = context["request"]
    info = Selector().strategy(request=request).fetch_for_product(product)
    stock = "InStock" if info.availability.is_available_to_buy else "OutOfStock"
    url = request.build_absolute_uri(product.get_absolute_url())
    data = {
        "@context": "https://schema.org",
        "@type": "Product",
        "@id": url,
        "name": product.get_title(),
        "description": strip_tags(product.description),
        "sku": info.stockrecord.partner_sku,
        "gtin13": product.upc,
        "image": [
            request.build_absolute_uri(image.original.url) for image in product.get_all_images()
        ],
        "offers": {
            "@type": "Offer",
            "url": url,
            "price": f"{info.price.incl_tax:.2f}",
            "priceCurrency": info.price.currency,
            "availability": f"https://schema.org/{stock}",
            "seller": {"@type": "Organization", "name": info.stockrecord.partner.name},
        },
    }
    # "</script>" in a title must not end the element.
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return mark_safe(f'<script type="application/ld+json">{text}</script>')
