"""The shop's Django settings, made for one directory."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).parent


def configure(directory: Path, *, jsonld: bool) -> None:
    """Configure Django for a shop.

    Parameters
    ----------
    directory : Path
        Absolute; holds the database, the search index and the pictures.
    jsonld : bool
        Put our product page, with JSON-LD, before the stock one.
    """
    import oscar
    from django.conf import settings
    from oscar import defaults

    stock = {name: getattr(defaults, name) for name in dir(defaults) if name.isupper()}
    settings.configure(
        **stock
        | {
            "SECRET_KEY": "a shop on loopback that ends with its test",
            "DEBUG": False,
            "ALLOWED_HOSTS": ["127.0.0.1", "localhost"],
            "ROOT_URLCONF": "tests.oscar_shop.urls",
            "INSTALLED_APPS": [*oscar.INSTALLED_APPS, "sorl.thumbnail"],
            "SITE_ID": 1,
            "MIDDLEWARE": [
                "django.middleware.security.SecurityMiddleware",
                "django.contrib.sessions.middleware.SessionMiddleware",
                "django.middleware.common.CommonMiddleware",
                "django.middleware.csrf.CsrfViewMiddleware",
                "django.contrib.auth.middleware.AuthenticationMiddleware",
                "django.contrib.messages.middleware.MessageMiddleware",
                "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware",
                "oscar.apps.basket.middleware.BasketMiddleware",
            ],
            "TEMPLATES": [
                {
                    "BACKEND": "django.template.backends.django.DjangoTemplates",
                    "DIRS": [HERE / "templates", *([HERE / "templates_jsonld"] if jsonld else [])],
                    "APP_DIRS": True,
                    "OPTIONS": {
                        "context_processors": [
                            "django.template.context_processors.request",
                            "django.template.context_processors.i18n",
                            "django.contrib.auth.context_processors.auth",
                            "django.contrib.messages.context_processors.messages",
                            "oscar.apps.search.context_processors.search_form",
                            "oscar.apps.checkout.context_processors.checkout",
                            "oscar.apps.communication.notifications"
                            ".context_processors.notifications",
                            "oscar.core.context_processors.metadata",
                        ],
                        "libraries": {"jsonld": "tests.oscar_shop.jsonld"},
                    },
                }
            ],
            "AUTHENTICATION_BACKENDS": [
                "oscar.apps.customer.auth_backends.EmailBackend",
                "django.contrib.auth.backends.ModelBackend",
            ],
            "DATABASES": {
                "default": {
                    "ENGINE": "django.db.backends.sqlite3",
                    "NAME": directory / "shop.sqlite3",
                    # Every product view writes a counter: a crawl with many requests at
                    # once must wait for the lock, not fail on it.
                    "OPTIONS": {
                        "timeout": 30,
                        "transaction_mode": "IMMEDIATE",
                        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF;",
                    },
                }
            },
            "DEFAULT_AUTO_FIELD": "django.db.models.AutoField",
            # SimpleEngine shows an empty catalogue.
            "HAYSTACK_CONNECTIONS": {
                "default": {
                    "ENGINE": "haystack.backends.whoosh_backend.WhooshEngine",
                    "PATH": str(directory / "whoosh"),
                }
            },
            "EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend",
            "LANGUAGE_CODE": "en-gb",
            "LANGUAGES": [("en-gb", "British English")],
            "TIME_ZONE": "UTC",
            "USE_TZ": True,
            "STATIC_URL": "/static/",
            "MEDIA_URL": "/media/",
            "MEDIA_ROOT": directory / "media",
            "THUMBNAIL_FORMAT": "JPEG",
            # An access log of a crawl would only hide the one line that matters.
            "LOGGING": {
                "version": 1,
                "disable_existing_loggers": False,
                "loggers": {"django.server": {"level": "ERROR"}},
            },
            "OSCAR_SHOP_NAME": "Quayside Market",
            "OSCAR_SHOP_TAGLINE": "Four sellers, one basket",
            "OSCAR_ALLOW_ANON_CHECKOUT": True,
            "OSCAR_IMAGE_FOLDER": "images/products/",
            "OSCAR_INITIAL_ORDER_STATUS": "Pending",
            "OSCAR_INITIAL_LINE_STATUS": "Pending",
            "OSCAR_ORDER_STATUS_PIPELINE": {"Pending": ()},
        }
    )
