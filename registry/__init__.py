"""The ground floor: what is protected, the one database, the blobs, the settings.

Here live the tables of the whole house and their migrations, the settings, the
content-addressed blob store, the job outbox and the registration of brands. Nothing
that visits a marketplace, judges a listing or talks to a message broker may enter,
and this room imports none of the others.
"""
