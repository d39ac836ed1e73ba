# The collector as a system job, on every client that has Docker: see docs/fleet.md. Not tested.
#
#   nomad job run -var gateway=http://gateway.example.com:4318 deploy/nomad/agent.nomad.hcl
#
# The plugin docker of each client needs `volumes { enabled = true }`, as the engine's socket and
# logs are mounted, and `gc { container = false }`: else Nomad removes a container the moment that
# it ends, with the last lines that nobody has read.
variable "gateway" {
  type        = string
  description = "The URL of the gateway."
}

job "otelcol-dockerlogs" {
  type = "system"

  update {
    max_parallel = 1 # a client's lines wait in its engine's files meanwhile
  }

  group "agent" {
    restart {
      attempts = 10
      interval = "5m"
      delay    = "5s"
      mode     = "delay" # never given up
    }

    task "agent" {
      driver       = "docker"
      user         = "0:0" # without a capability, as in deploy/swarm/stack.yaml
      kill_timeout = "30s" # the last batch may have to wait

      config {
        image           = "otelcol-dockerlogs:0.1.0" # of no registry: docker load it on each client, or name one of yours
        args            = ["--config=/local/config.yaml"]
        cap_drop        = ["all"]
        readonly_rootfs = true
        pids_limit      = 256

        mount {
          type     = "bind"
          source   = "/var/run/docker.sock"
          target   = "/var/run/docker.sock"
          readonly = true
        }
        mount {
          type     = "bind"
          source   = "/var/lib/docker/containers"
          target   = "/var/lib/docker/containers"
          readonly = true
        }
        mount { # of the client: it stays when the allocation is replaced
          type   = "volume"
          source = "otelcol-dockerlogs-positions"
          target = "/var/lib/otelcol-dockerlogs"
          volume_options {
            no_copy = true
          }
        }
      }

      env {
        GOMEMLIMIT = "400MiB"
        GATEWAY    = var.gateway

        METRICS_HOST = "0.0.0.0" # for Prometheus, at the address of the container
      }

      template { # the delimiters are none of the file's own
        data            = file("../swarm/agent.yaml")
        destination     = "local/config.yaml"
        left_delimiter  = "[["
        right_delimiter = "]]"
      }

      resources {
        memory = 512
      }
    }
  }
}
