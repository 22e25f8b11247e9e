"""`touchstone brand`: register what is protected."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from console.cli.house import open_house
from console.cli.output import JsonFlag, emit_json, out, plain, table
from registry.brandfile import BrandFile, Fingerprinted, read_pictures, read_yaml, register
from registry.errors import TouchstoneError
from registry.models import Brand, Product

app = typer.Typer(
    help="Register brands, marks, products, authorised sellers.", no_args_is_help=True
)


@app.command(epilog="Example: `touchstone brand add velaro.yaml`")
def add(
    file: Annotated[Path, typer.Argument(help="YAML file; docs/brand-file.md says what is in it.")],
    json: JsonFlag = False,
) -> None:
    """Register a brand, or bring a registered one to what the file says."""
    parsed: BrandFile = read_yaml(file, BrandFile, "brand file")
    pictures = read_pictures(parsed, file.parent, _fingerprint)
    with open_house() as house, house.database.writing() as session:
        brand, new = register(session, house.blobs, parsed, pictures)
        summary = _summary(brand)
    if json:
        emit_json({**summary, "new": new})
        return
    out.print(
        f"{'Registered' if new else 'Updated'} [bold]{plain(brand.name)}[/]: "
        f"{summary['marks']} marks, {summary['products']} products, "
        f"{summary['references']} reference pictures, "
        f"{summary['authorised_sellers']} authorised sellers."
    )


@app.command("list", epilog="Example: `touchstone brand list --json`")
def list_(json: JsonFlag = False) -> None:
    """List the registered brands."""
    with open_house() as house, house.database.reading() as session:
        brands = [_summary(brand) for brand in session.scalars(_brands())]
    if json:
        emit_json(brands)
        return
    table(
        ("Brand", "Owner", "Marks", "Products", "Pictures", "Authorised sellers"),
        (
            (
                b["slug"],
                b["owner"],
                b["marks"],
                b["products"],
                b["references"],
                b["authorised_sellers"],
            )
            for b in brands
        ),
        empty="No brand is registered yet: touchstone brand add FILE",
    )


@app.command(epilog="Example: `touchstone brand show velaro`")
def show(slug: str, json: JsonFlag = False) -> None:
    """Show a brand with its products."""
    with open_house() as house, house.database.reading() as session:
        brand = session.scalar(_brands().where(Brand.slug == slug))
        if brand is None:
            raise TouchstoneError(f"brand {slug!r} is not registered; see touchstone brand list")
        summary = _summary(brand)
        products = [
            {
                "sku": product.sku,
                "name": product.name,
                "gtin": product.gtin,
                "nice_class": product.nice_class,
                "list_price": product.list_price and str(product.list_price),
                "price_floor": product.price_floor and str(product.price_floor),
                "references": [reference.sha256 for reference in product.references],
            }
            for product in brand.products
        ]
        marks = [f"{mark.text} ({mark.office} {mark.number})" for mark in brand.marks]
    if json:
        emit_json({**summary, "marks": marks, "products": products})
        return
    out.print(f"[bold]{plain(brand.name)}[/], {plain(brand.owner)}: {plain(', '.join(marks))}")
    table(
        ("SKU", "Product", "GTIN", "List price", "Floor", "Pictures"),
        (
            (
                p["sku"],
                p["name"],
                p["gtin"],
                p["list_price"],
                p["price_floor"],
                len(p["references"]),
            )
            for p in products
        ),
        empty="It has no products.",
    )


def _brands() -> Any:
    return (
        select(Brand)
        .order_by(Brand.slug)
        .options(
            selectinload(Brand.marks),
            selectinload(Brand.authorisations),
            selectinload(Brand.products).selectinload(Product.references),
        )
    )


def _summary(brand: Brand) -> dict[str, Any]:
    return {
        "id": brand.id,
        "slug": brand.slug,
        "name": brand.name,
        "owner": brand.owner,
        "marks": len(brand.marks),
        "products": len(brand.products),
        "references": sum(len(product.references) for product in brand.products),
        "authorised_sellers": len(brand.authorisations),
    }


def _fingerprint(data: bytes) -> Fingerprinted:
    from insight.prints import fingerprinted

    return fingerprinted(data)
