import { Controller, Get, Header } from '@nestjs/common';
import { register } from 'prom-client';

/** For Prometheus. A real application keeps it from the outside world, on a port of its own or behind a guard. */
@Controller('metrics')
export class MetricsController {
  @Get()
  @Header('content-type', register.contentType)
  metrics(): Promise<string> {
    return register.metrics();
  }
}
