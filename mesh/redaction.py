"""What a message holds that only its receiver may see: the fields that its contract marks `debug_redact`."""

from google.protobuf.message import Message


def clear_secrets(message: Message) -> None:
    """Takes out of a message, and of all within it, what its contract calls a secret."""
    for field, value in message.ListFields():
        if field.GetOptions().debug_redact:
            message.ClearField(field.name)
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for inner in value if field.is_repeated else [value]:
                clear_secrets(inner)
