"""What has to be done whether or not a lane works: jobs' ends, unowned lanes, what only time brings about."""
