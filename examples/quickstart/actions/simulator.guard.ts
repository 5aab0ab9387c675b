import { Injectable, NotFoundException, type CanActivate } from '@nestjs/common';
import { NotionStandIn } from '../notion-stand-in.js';

/** Without a simulator these routes are not there: nobody asks the real Notion to make trouble. */
@Injectable()
export class SimulatorGuard implements CanActivate {
  constructor(private readonly standIn: NotionStandIn) {}

  canActivate(): boolean {
    if (this.standIn.isPresent) return true;
    throw new NotFoundException('There is no simulator: this quickstart talks to the real Notion.');
  }
}
