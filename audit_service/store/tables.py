"""The log's tables as queries see them; the migrations make them."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    Uuid,
)

metadata = MetaData()

log_state = Table(
    "log_state",
    metadata,
    Column("origin", Text),
    Column("size", BigInteger),
    Column("root", LargeBinary),
    Column("gen", BigInteger),
)
log_entry = Table(
    "log_entry",
    metadata,
    Column("idx", BigInteger, primary_key=True),
    Column("id", Uuid(as_uuid=False)),
    Column("leaf_hash", LargeBinary),
    Column("envelope", LargeBinary),
    Column("received_at", DateTime(timezone=True)),
)
entry_ix = Table(
    "entry_ix",
    metadata,
    Column("idx", BigInteger, primary_key=True),
    Column("kind", Text),
    Column("phase", SmallInteger),
    Column("tenant", Text),
    Column("job", Uuid(as_uuid=False)),
    Column("attempt", Text),
    Column("purpose", Text),
    Column("actor_ref", Text),
    Column("provider", Text),
    Column("account", Text),
    Column("service", Text),
    Column("method", Text),
    Column("outcome", Text),
    Column("t", Text),
    Column("ret", Text),
)
log_tile = Table(
    "log_tile",
    metadata,
    Column("level", SmallInteger, primary_key=True),
    Column("n", BigInteger, primary_key=True),
    Column("hashes", LargeBinary),
)
log_checkpoint = Table(
    "log_checkpoint",
    metadata,
    Column("size", BigInteger, primary_key=True),
    Column("note", LargeBinary),
)
