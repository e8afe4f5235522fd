"""The hub's own duties, one replica at a time: leased like lanes, under names that no provider can have."""

DUTIES = "hub-duty"
ALERTS = f"{DUTIES}/alerts"
EVENTS = f"{DUTIES}/events"
HOUSEKEEPING = f"{DUTIES}/housekeeping"
PLANS = f"{DUTIES}/plans"
