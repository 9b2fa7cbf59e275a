"""Work on the database while no server is running."""

from chatbridge.config import Settings
from chatbridge.store import migrations
from chatbridge.store.engine import open_store
from chatbridge.store.resealing import reseal as seal_anew
from chatbridge.store.sealing import Sealer


async def migrate(settings: Settings, *, reseal: bool) -> list[str]:
    """Bring the database up to date, and seal its secrets anew if asked; return what was done, in sentences.

    Raises:
        ConfigurationError: the database is in use, belongs to a newer release, or the keys do not open it.
        StoreUnavailable: it cannot be reached.

    """
    store = open_store(settings.store.url, synchronous=settings.store.synchronous)
    await store.start()
    try:
        older = await store.write(migrations.bring_up_to_date)
        done = [
            f"The database {'is now at' if older else 'was already at'} schema {migrations.HEAD}."
        ]
        if reseal:
            count = await store.write(seal_anew, Sealer(settings.secret_keys))
            done.append(f"Sealed the secrets in {count} rows with the newest key.")
    finally:
        await store.close()
    return done
