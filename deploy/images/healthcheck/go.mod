module pastelka/healthcheck

go 1.26.0
